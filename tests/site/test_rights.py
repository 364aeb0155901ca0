"""What people can see, export and delete of the data about their face."""

from __future__ import annotations

import json
import stat
from threading import Thread

import numpy as np
import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.core import mail
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.db.models.signals import pre_delete

from accounts.models import User
from faceauth import enrolment
from faceauth.audit import events
from faceauth.encryption.fields import Sealed
from faceauth.enrolment import Consent
from faceauth.lockout import counters
from faceauth.models import FaceEvent, FailureCount
from tests.site.conftest import PASSWORD, log_in_by_face
from tests.support.people import encodings

pytestmark = pytest.mark.postgres

LOGIN, ENROL, REMOVE = "/face/login/", "/face/enrol/", "/face/remove/"
EXPORT, NOTICE, PROFILE = "/face/export/", "/face/notice/", "/accounts/profile/"
USERS = "/admin/accounts/user/"
SCORES = ("distance", "max_distance", "rate")


@pytest.fixture
def used(obama, client, upload):
    """Obama, logged in, after another person was refused twice with his username."""
    log_in_by_face(client, obama)
    for _ in range(2):
        client.post(LOGIN, {"username": "obama", "snapshot": upload("biden")})
    assert FaceEvent.objects.exclude(distance=None).count() == 2
    assert counters.account_failures(obama).get().failures == 2
    return obama


def kinds():
    return [*FaceEvent.objects.order_by("pk").values_list("kind", "outcome")]


def scores():
    return {score for row in FaceEvent.objects.values_list(*SCORES) for score in row}


def test_nothing_stays_of_how_near_strangers_were(obama, client, upload):
    client.post(LOGIN, {"snapshot": upload("biden")})
    assert FaceEvent.objects.exclude(distance=None).get().user is None
    enrolment.remove(obama)
    assert scores() == {None}


def test_distances_of_attempts_that_were_about_others_stay(obama, enrolled, client, upload):
    biden = enrolled("biden", "biden", "biden up")
    client.post(LOGIN, {"snapshot": upload("astronaut")})
    stranger = FaceEvent.objects.get(kind="refused", user=None)
    nearest, other = obama, biden
    if stranger.nearest != events.hash_of_nearest(obama.pk):
        nearest, other = biden, obama
    enrolment.remove(other)
    stranger.refresh_from_db()
    assert stranger.distance is not None
    assert stranger.nearest == events.hash_of_nearest(nearest.pk)
    enrolment.remove(nearest)
    stranger.refresh_from_db()
    assert (stranger.distance, stranger.nearest) == (None, "")


def test_events_that_name_their_user_have_no_hash(used):
    assert [*FaceEvent.objects.values_list("nearest", flat=True)] == ["", ""]


# View and export


def test_profile_shows_what_is_kept(client, used, enrolled, upload):
    enrolled("biden", "biden", "biden up")
    client.post(
        LOGIN, {"username": "biden", "snapshot": upload("obama")}, REMOTE_ADDR="203.0.113.9"
    )
    log_in_by_face(client, used)
    FaceEvent.objects.filter(user=used).update(address="198.51.100.0/24")
    page = client.get(PROFILE).text
    assert "3 pictures, not kept" in page
    assert "to version 1 of the notice" in page
    assert page.count("Refused") == 2
    assert "198.51.100.0/24" in page
    assert "203.0.113.0/24" not in page
    for row in FaceEvent.objects.values_list("distance", flat=True):
        assert f"{row:.3f}" not in page


def test_profile_shows_the_ten_latest_events(client, obama):
    log_in_by_face(client, obama)
    for number in range(12):
        FaceEvent.objects.create(kind="refused", user=obama, address=f"10.0.{number}.0/24")
    page = client.get(PROFILE).text
    assert page.count("Refused") == 10
    assert "10.0.11.0/24" in page
    assert "10.0.1.0/24" not in page


def test_export_has_all_that_is_kept_and_no_scores(client, used):
    consent = Consent("1", "198.51.100.0/24")
    enrolment.agree(used, consent)
    answer = client.get(EXPORT)
    assert answer["Content-Disposition"] == 'attachment; filename="face.json"'
    assert "no-store" in answer["Cache-Control"]
    data = answer.json()
    assert data["username"] == "obama"
    assert data["consent"]["notice_version"] == "1"
    assert data["consent"]["network"] == "198.51.100.0/24"
    assert np.allclose(data["face"]["encodings"], used.face_encodings, atol=1e-6)
    assert data["face"]["encodings_as_enrolled"] is None
    assert [each["failures"] for each in data["failures"]] == [2]
    assert [event["kind"] for event in data["events"]] == ["refused", "refused"]
    assert {"at", "kind", "mode", "outcome", "network", "device"} == set(data["events"][0])
    (row, *_) = FaceEvent.objects.all()
    assert str(row.distance) not in answer.text


def test_export_of_an_adapted_face_has_what_was_enrolled(client, obama):
    adapted = encodings("obama", "obama2", "obama3")
    field = User._meta.get_field("face_encodings")
    User.objects.filter(pk=obama.pk).update(
        face_enrolled_encodings=field.seal(obama.pk, obama.face_encodings),
        face_encodings=field.seal(obama.pk, adapted),
    )
    log_in_by_face(client, obama)
    face = client.get(EXPORT).json()["face"]
    assert np.allclose(face["encodings"], adapted, atol=1e-6)
    assert np.allclose(face["encodings_as_enrolled"], obama.face_encodings, atol=1e-6)


def test_unreadable_face_is_exported_as_such_and_can_be_removed(client, obama):
    User.objects.filter(pk=obama.pk).update(face_encodings=Sealed(b"\x02lost"))
    client.force_login(obama)
    assert "can no longer decrypt" in client.get(EXPORT).json()["face"]["encodings"]
    page = client.get(PROFILE).text
    assert "It can no longer be read" in page
    assert f'href="{REMOVE}"' in page
    client.post(REMOVE)
    assert User.objects.values_list("face_encodings", flat=True).get() is None
    assert kinds() == [("removed", "")]


def test_without_a_face_the_export_says_so(client, django_user_model):
    client.force_login(django_user_model.objects.create_user("ada", "ada@example.com", PASSWORD))
    data = client.get(EXPORT).json()
    assert (data["face"], data["consent"], data["failures"], data["events"]) == (None, None, [], [])


def test_nobody_gets_the_export_of_another(client, obama, enrolled):
    log_in_by_face(client, enrolled("biden", "biden", "biden up"))
    for query in ({}, {"username": "obama"}, {"user": obama.pk}, {"pk": obama.pk}):
        data = client.get(EXPORT, query).json()
        assert data["username"] == "biden"
        assert not np.allclose(data["face"]["encodings"][0], obama.face_encodings[0], atol=0.01)


@pytest.mark.parametrize("url", [EXPORT, PROFILE, REMOVE])
def test_who_is_not_logged_in_is_sent_to_the_login(client, obama, url):
    answer = client.get(url)
    assert answer.status_code == 302
    assert answer["Location"] == f"{LOGIN}?next={url}"


def test_agreeing_without_being_logged_in_leads_back_to_the_notice(client, obama, settings):
    settings.FACEAUTH = {**settings.FACEAUTH, "NOTICE_VERSION": "2"}
    assert client.post(NOTICE, {"version": "2"})["Location"] == f"{LOGIN}?next={NOTICE}"
    obama.refresh_from_db()
    assert obama.face_consent_version == "1"


def test_command_writes_the_same_for_its_owner_alone(client, used, tmp_path, capsys):
    file = tmp_path / "face.json"
    call_command("face_export", "obama", output=str(file))
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    call_command("face_export", "obama")
    written, printed = json.loads(file.read_text()), json.loads(capsys.readouterr().out)
    downloaded = client.get(EXPORT).json()
    for data in (written, printed, downloaded):
        del data["exported_at"]
    assert written == printed == downloaded


def test_command_replaces_no_file_and_knows_who_is_not_there(used, tmp_path):
    file = tmp_path / "face.json"
    file.write_text("mine")
    with pytest.raises(CommandError, match=r"face.json cannot be written: File exists"):
        call_command("face_export", "obama", output=str(file))
    assert file.read_text() == "mine"
    with pytest.raises(CommandError, match="There is no user 'nobody'"):
        call_command("face_export", "nobody")


# Delete


def test_removing_the_face_erases_all_that_was_computed_from_it(client, used):
    client.post(REMOVE)
    row = User.objects.values().get()
    assert {name: row[name] for name in enrolment.EMPTY_COLUMNS} == enrolment.EMPTY_COLUMNS
    assert scores() == {None}
    assert not FailureCount.objects.filter(key__startswith="account:").exists()
    assert [kind for kind, _ in kinds()] == ["refused", "refused", "removed"]


def test_removing_a_face_leaves_those_of_others_alone(client, used, enrolled, upload):
    biden = enrolled("biden", "biden", "biden up")
    client.post(LOGIN, {"username": "biden", "snapshot": upload("obama")})
    log_in_by_face(client, used)
    client.post(REMOVE)
    biden.refresh_from_db()
    assert biden.has_face
    assert biden.face_events.get().distance is not None
    assert counters.account_failures(biden).get().failures == 1


def by_instance(user, admin_client):
    user.delete()


def by_queryset(user, admin_client):
    User.objects.filter(pk=user.pk).delete()


def by_admin(user, admin_client):
    admin_client.post(f"{USERS}{user.pk}/delete/", {"post": "yes"})


def by_admin_action(user, admin_client):
    form = {"action": "delete_selected", "_selected_action": [user.pk], "post": "yes"}
    admin_client.post(USERS, form)


@pytest.mark.parametrize("delete", [by_instance, by_queryset, by_admin, by_admin_action])
def test_deleting_the_account_leaves_nothing_that_leads_to_it(used, admin_client, delete):
    FaceEvent.objects.update(device="Firefox on Linux")
    delete(used, admin_client)
    assert not User.objects.filter(username="obama").exists()
    assert [*FaceEvent.objects.values_list("user", "address", "device", *SCORES)] == [
        (None, "", "", None, None, None)
    ] * 2
    assert not FailureCount.objects.filter(key__startswith="account:").exists()


def test_deleting_the_account_leaves_no_name_in_the_admins_log(used, admin_client, admin_user):
    User.objects.filter(pk=used.pk).update(username="josé")
    stays = User.objects.create_user("stays", "stays@example.com")
    for action in ("disable_face", "enable_face"):
        form = {"action": action, "_selected_action": [used.pk, stays.pk]}
        admin_client.post(USERS, {**form, "faceauth_confirmed": "yes"})
    message = [{"added": {"name": "note", "object": "José’s note"}}]
    about = {"content_type": ContentType.objects.get_for_model(User), "object_id": str(used.pk)}
    LogEntry.objects.create(
        user=admin_user,
        action_flag=2,
        object_repr="josé",
        change_message=json.dumps(message),
        **about,
    )
    by_admin(used, admin_client)
    log = LogEntry.objects.filter(**about)
    assert log.count() == 4
    assert {*log.values_list("object_repr", flat=True)} == {"–"}
    assert "Face login disabled." in log.values_list("change_message", flat=True)
    assert "josé" not in " ".join(map(str, [*LogEntry.objects.values()])).lower()
    assert "\\u00e9" not in " ".join(log.values_list("change_message", flat=True)).lower()
    assert LogEntry.objects.filter(object_repr="stays").count() == 2
    assert admin_client.get("/admin/").status_code == 200
    assert admin_client.get(f"{USERS}{stays.pk}/history/").status_code == 200


def test_account_that_is_not_deleted_after_all_keeps_everything(used):
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        User.objects.get().delete()
        raise ZeroDivisionError
    assert used.face_events.exclude(distance=None).count() == 2
    assert counters.account_failures(used).get().failures == 2


def test_login_in_the_moment_of_removal_notes_no_use(client, obama, upload, monkeypatch):
    record = FaceEvent.save

    def removed_before(event, *args, **kwargs):
        if event.kind == "login":
            enrolment.revoke(User.objects.get())
        record(event, *args, **kwargs)

    monkeypatch.setattr(FaceEvent, "save", removed_before)
    client.post(LOGIN, {"snapshot": upload("obama2")})
    assert User.objects.get().face_last_used_at is None


@pytest.mark.django_db(transaction=True)
def test_attempt_in_the_moment_of_deletion_leaves_no_score(obama, caplog):
    details = events.EventDetails(mode="username", outcome="too_far", distance=0.1)
    another = User.objects.get()

    def attempt():
        events.save(FaceEvent.Kind.REFUSED, None, another, details)
        connection.close()

    def meanwhile(**kwargs):
        thread.start()
        thread.join(1)  # it waits for the deletion to end

    thread = Thread(target=attempt)
    pre_delete.connect(meanwhile, sender=User)
    try:
        obama.delete()
    finally:
        pre_delete.disconnect(meanwhile, sender=User)
    thread.join()
    assert not User.objects.exists()
    assert not FaceEvent.objects.exists()
    assert "could not be saved: IntegrityError" in caplog.text


# Notice


def test_staff_who_remove_a_face_tell_its_owner(admin_client, used):
    form = {"action": "remove_face", "_selected_action": [used.pk], "faceauth_confirmed": "yes"}
    assert "1 face was removed." in admin_client.post(USERS, form, follow=True).text
    used.refresh_from_db()
    assert not used.has_face
    assert scores() == {None}
    assert kinds()[-1] == ("removed", "by_staff")
    (told,) = mail.outbox
    assert told.to == ["obama@example.com"]
    assert told.subject == "Your face was removed from testserver"
    assert "The staff of testserver removed your face" in told.body
    assert "From now on, log in with your password." in told.body
    assert "0 faces were removed." in admin_client.post(USERS, form, follow=True).text
    assert len(mail.outbox) == 1


def test_staff_see_consent_and_cannot_change_it(admin_client, obama):
    page = admin_client.get(f"{USERS}{obama.pk}/change/").text
    assert "notice version" in page.lower()
    assert 'name="face_consent_version"' not in page


def test_who_removes_their_own_face_is_told_what_to_do_if_they_did_not(client, obama):
    log_in_by_face(client, obama)
    client.post(REMOVE)
    (told,) = mail.outbox
    assert "If this wasn’t you, change your password." in told.body
    assert "staff" not in told.body
