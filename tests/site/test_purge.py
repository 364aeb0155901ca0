"""`manage.py face_purge` deletes what has been kept for long enough."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.core import mail
from django.core.management import CommandError, call_command
from django.utils import timezone

from accounts.models import User
from faceauth import checks, db, enrolment
from faceauth.audit import events
from faceauth.encryption.fields import Sealed
from faceauth.gallery import gallery
from faceauth.lockout import counters
from faceauth.models import (
    DeviceTrust,
    EmailCode,
    FaceDevice,
    FaceEvent,
    FaceTake,
    FailureCount,
    LoginTiming,
    RequestCount,
    UsedItem,
)
from tests.site.conftest import PASSWORD, username_of
from tests.support.people import enrol_silently

pytestmark = pytest.mark.postgres

DELETED = (
    FailureCount,
    UsedItem,
    RequestCount,
    EmailCode,
    FaceDevice,
    DeviceTrust,
    LoginTiming,
    FaceTake,
    Session,
)

NOTHING_DUE = """\
Events whose scores of removed faces were erased: 0.
Expired counts, codes and used challenges deleted: 0.
Trusts in devices not used for 90 days deleted: 0.
Devices that nobody trusts any more deleted: 0.
Sessions that expired or whose user was deleted: 0.
Events older than 365 days deleted: 0.
Times of logins older than 365 days deleted: 0.
Movements at logins more than 365 days ago deleted: 0.
Faces removed as their owners planned by email: 0.
Faces not used for 730 days removed: 0.
"""


@pytest.fixture
def purge(db, capsys):
    """Run the command as from a shell, and return its output."""

    def run(*arguments):
        call_command("face_purge", *arguments)
        return capsys.readouterr().out

    return run


@pytest.fixture
def person(db):
    """Create a user whose face was enrolled and last used this many days ago."""

    def make(name, enrolled, used=None, password=PASSWORD):
        user = User.objects.create_user(name, f"{name}@example.com", password)
        random = np.random.default_rng(User.objects.count())
        enrol_silently(user, random.normal(0, 0.1, (1, 128)))
        times = {"face_enrolled_at": ago(enrolled), "face_last_used_at": used and ago(used)}
        User.objects.filter(pk=user.pk).update(**times)
        return user

    return make


@pytest.fixture
def people(person):
    """Create users; the faces of the first two are due."""
    person("never", 731)
    person("long ago", 3000, 731)
    person("lately", 3000, 729)
    person("new", 729)
    person("again", 700, 1000)
    person("without", 3000, password=None)
    User.objects.create_user("faceless", "faceless@example.com", PASSWORD)


@pytest.fixture
def rows(people):
    """Create events and counts that are due, and as many that are not."""
    never, new = User.objects.get(username="never"), User.objects.get(username="new")
    faceless = User.objects.get(username="faceless")
    for user in (never, new, faceless, None):
        for days in (364, 366):
            FaceEvent.objects.create(kind="refused", user=user, at=ago(days), distance=0.3)
    for key, days, disabled in (("a", 1, None), ("b", -1, None), ("c", 1, ago(9))):
        FailureCount.objects.create(key=key, forget_at=ago(days), disabled_at=disabled)
        UsedItem.objects.create(key=key, forget_at=ago(days))
    for days in (1, -1):
        RequestCount.objects.create(key=f"count {days}", forget_at=ago(days))
        EmailCode.objects.create(key=f"code {days}", forget_at=ago(days))
    for days in (364, 366, 367):
        LoginTiming.objects.create(answer=days, at=ago(days))
    # One is too old, and one was kept while the face was being removed.
    for user, days in ((new, 364), (new, 366), (faceless, 1)):
        FaceTake.objects.create(user=user, take=b"", at=ago(days))
    # One device for two people, of whom one uses it no longer; one that nobody uses; and one that
    # nobody trusts any more.
    family, old, _revoked, _fresh = [
        FaceDevice.objects.create(label=label, created_at=ago(days))
        for label, days in (("family", 300), ("old", 300), ("revoked", 1), ("fresh", 0))
    ]
    for device, user, used in ((family, new, 89), (family, never, 91), (old, never, 91)):
        DeviceTrust.objects.create(device=device, user=user, by="password", last_used_at=ago(used))
    for key, user, days in (
        ("expired", new, -1),
        ("in use", new, 1),
        ("anonymous", None, 1),
        ("deleted", None, 1),
    ):
        data = {SESSION_KEY: str(user.pk)} if user else {}
        if key == "deleted":
            data = {SESSION_KEY: "123456789"}
        Session.objects.create(
            session_key=key, session_data=SessionStore().encode(data), expire_date=ago(-days)
        )


def ago(days):
    return timezone.now() - timedelta(days=days)


def faces():
    users = User.objects.filter(face_encodings__isnull=False)
    return [*users.order_by("pk").values_list("username", flat=True)]


def everything():
    return [[*model.objects.order_by("pk").values()] for model in (User, FaceEvent, *DELETED)]


def test_dry_run_says_what_a_real_one_does_and_changes_nothing(rows, purge):
    before = everything()
    first, *lines = purge("--dry-run").splitlines()
    assert first == "Dry run: nothing is deleted."
    assert everything() == before
    assert mail.outbox == []
    # Whose faces, below each number.
    assert lines[-5:-2] == ["Faces not used for 730 days removed: 2.", "  never", "  long ago"]
    assert lines[-1] == "  without"
    told = [line for line in lines if not line.startswith("  ")]
    assert purge().splitlines() == told
    assert told == [
        "Events whose scores of removed faces were erased: 2.",
        "Expired counts, codes and used challenges deleted: 5.",
        "Trusts in devices not used for 90 days deleted: 2.",
        "Devices that nobody trusts any more deleted: 2.",
        "Sessions that expired or whose user was deleted: 2.",
        "Events older than 365 days deleted: 4.",
        "Times of logins older than 365 days deleted: 2.",
        "Movements at logins more than 365 days ago deleted: 2.",
        "Faces removed as their owners planned by email: 0.",
        "Faces not used for 730 days removed: 2.",
        "Faces kept because their owners have no password and no other way in: 1. See "
        "--even-without-password.",
    ]
    assert purge() == NOTHING_DUE + told[-1] + "\n"


def test_what_is_due_is_gone_and_nothing_else(rows, purge):
    purge()
    assert faces() == ["lately", "new", "again", "without"]
    assert {*FailureCount.objects.values_list("key", flat=True)} == {"b", "c"}
    assert {*UsedItem.objects.values_list("key", flat=True)} == {"b"}
    assert min(FaceEvent.objects.values_list("at", flat=True)) > ago(365)
    scored = FaceEvent.objects.filter(distance__isnull=False)
    # Not those without a user: it is not known that they are about a face that was removed.
    assert [event.user and event.user.username for event in scored.order_by("pk")] == ["new", None]
    assert [*RequestCount.objects.values_list("key", flat=True)] == ["count -1"]
    assert [*EmailCode.objects.values_list("key", flat=True)] == ["code -1"]
    assert [*LoginTiming.objects.values_list("answer", flat=True)] == [364]
    assert {*Session.objects.values_list("pk", flat=True)} == {"in use", "anonymous"}
    assert {*FaceDevice.objects.values_list("label", flat=True)} == {"family", "fresh"}
    assert DeviceTrust.objects.get().user.username == "new"


def test_distances_to_a_face_that_is_gone_are_erased(rows, purge):
    new, never = User.objects.get(username="new"), User.objects.get(username="never")
    FaceEvent.objects.all().delete()
    for user in (new, never, User.objects.get(username="faceless")):
        nearest = events.hash_of_nearest(user.pk)
        FaceEvent.objects.create(kind="refused", nearest=nearest, distance=0.5)
    assert "removed faces were erased: 1." in purge("--dry-run")
    assert "removed faces were erased: 1." in purge()
    # The second face was removed by the purge itself.
    left = FaceEvent.objects.get(distance__isnull=False)
    assert left.nearest == events.hash_of_nearest(new.pk)
    assert FaceEvent.objects.filter(kind="refused", nearest="").count() == 2


def test_sessions_that_are_not_in_the_database_are_left_to_django(purge, settings):
    settings.SESSION_ENGINE = "django.contrib.sessions.backends.signed_cookies"
    assert "Sessions are not in the database. Run manage.py clearsessions" in purge()


def test_sessions_of_cached_db_are_deleted(rows, purge, settings):
    settings.SESSION_ENGINE = "django.contrib.sessions.backends.cached_db"
    assert "whose user was deleted: 2." in purge()


def test_session_ends_with_its_user(client, obama, purge):
    client.force_login(obama)
    key = client.session.session_key
    purge()
    assert Session.objects.filter(pk=key).exists()
    obama.delete()
    assert "whose user was deleted: 1." in purge()
    assert not Session.objects.filter(pk=key).exists()


def test_owners_of_purged_faces_are_told_and_it_is_kept(people, purge, settings):
    settings.FACEAUTH = {**settings.FACEAUTH, "SITE_NAME": "The Reading Room"}
    purge()
    assert sorted(each.to for each in mail.outbox) == [
        ["long ago@example.com"],
        ["never@example.com"],
    ]
    for told in mail.outbox:
        assert told.subject == "Your face was removed from The Reading Room"
        assert "for a long time, so it was removed" in told.body
        assert "From now on, log in with your password." in told.body
        assert "If this wasn’t you" not in told.body
    found = FaceEvent.objects.order_by("pk").values_list("kind", "outcome", "user__username")
    assert [*found] == [("removed", "unused", "never"), ("removed", "unused", "long ago")]


def test_purged_face_logs_nobody_in_any_more(client, ask, obama, upload, purge):
    assert ask("/face/login/", snapshot=upload("obama2"))[0] == 200
    client.logout()
    times = {"face_enrolled_at": ago(800), "face_last_used_at": ago(800)}
    User.objects.update(**times)
    purge()
    assert ask("/face/login/", snapshot=upload("obama2"))[0] == 401
    assert username_of(client) is None
    assert len(gallery()) == 0
    client.post("/face/login/", {"username": "obama", "password": PASSWORD})
    assert username_of(client) == "obama"


def test_numbers_of_days_can_be_given(rows, purge):
    told = purge("--unused-days", "3000", "--event-days", "400", "--even-without-password")
    assert "not used for 3000 days removed: 1." in told
    assert "older than 400 days deleted: 0." in told
    assert "without" not in faces()


@pytest.mark.parametrize("value", ["0", "-1", "1.5", "many", ""])
@pytest.mark.parametrize("option", ["--unused-days", "--event-days"])
def test_number_of_days_that_is_none_deletes_nothing(rows, purge, option, value):
    before = everything()
    with pytest.raises(CommandError, match="not a positive whole number"):
        purge(f"{option}={value}")
    assert everything() == before


def test_what_is_to_be_kept_for_ever_is(rows, purge, settings):
    settings.FACEAUTH = {
        **settings.FACEAUTH,
        "KEEP_UNUSED_FACES_DAYS": None,
        "KEEP_EVENTS_DAYS": None,
    }
    before = faces(), FaceEvent.objects.count()
    told = purge()
    assert "Faces are kept forever" in told
    assert "Events are kept forever" in told
    assert (faces(), FaceEvent.objects.count()) == before
    assert "not used for 730 days removed: 2." in purge("--unused-days", "730")


def test_only_way_in_stays_unless_asked_for(people, purge):
    assert "no other way in: 1" in purge()
    assert "without" in faces()
    assert "not used for 730 days removed: 1." in purge("--even-without-password")
    assert "without" not in faces()
    assert "Choose one by email if the site offers this" in mail.outbox[-1].body


def test_unreadable_and_inactive_faces_go_as_well(person, purge):
    lost, inactive = person("lost", 800), person("inactive", 800)
    User.objects.filter(pk=lost.pk).update(face_encodings=Sealed(b"\x02lost"))
    User.objects.filter(pk=inactive.pk).update(is_active=False)
    assert "730 days removed: 2." in purge()
    assert faces() == []


def test_face_that_is_used_in_that_moment_stays(people, purge, monkeypatch):
    remove = enrolment.remove

    def used_before(user, *still, **more):
        if user.username == "never":
            User.objects.filter(pk=user.pk).update(face_last_used_at=timezone.now())
        return remove(user, *still, **more)

    monkeypatch.setattr(enrolment, "remove", used_before)
    assert "730 days removed: 1." in purge()
    assert "never" in faces()
    assert [each.to for each in mail.outbox] == [["long ago@example.com"]]


def test_account_that_is_deleted_in_that_moment_is_no_error(people, purge, monkeypatch):
    remove = enrolment.remove

    def deleted_before(user, *still, **more):
        User.objects.filter(pk=user.pk).delete()
        return remove(user, *still, **more)

    monkeypatch.setattr(enrolment, "remove", deleted_before)
    assert "730 days removed: 0." in purge()
    assert not FaceEvent.objects.exists()
    assert mail.outbox == []


def test_interrupted_run_is_taken_up_by_the_next(person, purge, monkeypatch):
    monkeypatch.setattr(db, "BATCH", 2)
    for number in range(5):
        person(f"user{number}", 800)
        FaceEvent.objects.create(kind="login", at=ago(400))
    erase, erased = enrolment.lifecycle.export.erase, []

    def killed(user):
        if len(erased) == 3:
            raise KeyboardInterrupt
        erased.append(user)
        erase(user)

    with monkeypatch.context() as patch:
        patch.setattr(enrolment.lifecycle.export, "erase", killed)
        with pytest.raises(KeyboardInterrupt):
            purge()
    # The fourth is complete, and its owner got no email.
    assert faces() == ["user3", "user4"]
    assert len(mail.outbox) == FaceEvent.objects.count() == 3
    assert "730 days removed: 2." in purge()
    assert [each.to for each in mail.outbox] == [[f"user{n}@example.com"] for n in range(5)]


def test_large_numbers_are_deleted_in_batches(rows, purge, monkeypatch):
    monkeypatch.setattr(db, "BATCH", 3)
    assert "365 days deleted: 4." in purge()
    assert not FaceEvent.objects.filter(at__lt=ago(365)).exists()


def test_mail_that_cannot_be_sent_keeps_no_face(people, purge, monkeypatch, caplog):
    def down(*args, **kwargs):
        raise OSError("never@example.com")

    monkeypatch.setattr("django.core.mail.EmailMessage.send", down)
    assert "730 days removed: 2." in purge()
    assert "never" not in faces()
    assert "never@" not in caplog.text


def test_failures_of_a_purged_face_are_forgotten(people, purge):
    user = User.objects.get(username="never")
    key = counters.key_of("account", user.pk)
    FailureCount.objects.create(key=key, failures=3, forget_at=ago(-300), disabled_at=ago(9))
    purge()
    assert not counters.account_failures(user).exists()


# Checks


def purge_check():
    return checks.check_purge(None, databases=["default"])


def test_purge_that_is_not_run_is_missed(rows, purge):
    assert purge_check() == []
    FaceEvent.objects.create(kind="login", at=ago(380))
    User.objects.filter(username="never").update(face_enrolled_at=ago(745))
    (warning,) = purge_check()
    assert warning.id == "faceauth.W011"
    assert "faces: 1, events: 1" in warning.msg
    purge()
    assert purge_check() == []


def test_who_keeps_everything_misses_no_purge_but_is_warned(rows, settings):
    settings.FACEAUTH = {**settings.FACEAUTH, "KEEP_UNUSED_FACES_DAYS": None}
    FaceEvent.objects.all().delete()
    User.objects.update(face_enrolled_at=ago(9000))
    assert purge_check() == []
    (warning,) = checks.check_periods(None)
    assert warning.id == "faceauth.W010"
    assert "faces are kept for ever" in warning.msg


@pytest.mark.parametrize("version", ["", "v" * 33])
def test_version_that_cannot_be_kept_is_an_error(settings, version):
    settings.FACEAUTH = {**settings.FACEAUTH, "NOTICE_VERSION": version}
    (error,) = checks.check_settings(None)
    assert error.id == "faceauth.E012"
    assert "between 1 and 32" in error.hint
