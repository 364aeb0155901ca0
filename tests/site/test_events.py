from __future__ import annotations

import logging

import django
import pytest
from django.contrib.auth.signals import user_login_failed
from django.core import mail
from django.db import DatabaseError

from faceauth import signals
from faceauth.audit import events
from faceauth.models import FaceEvent
from tests.site.conftest import PASSWORD, log_out, username_of
from tests.support.accounts import log_in_by_face
from tests.support.people import OBAMA

pytestmark = pytest.mark.postgres

LOGIN, ENROL, REMOVE = "/face/login/", "/face/enrol/", "/face/remove/"


@pytest.fixture
def ada(django_user_model, client):
    """Return a user who is logged in and has no face."""
    user = django_user_model.objects.create_user("ada", "ada@example.com", PASSWORD)
    client.force_login(user)
    return user


@pytest.fixture
def enrol(client, upload):
    def post():
        shots = [upload(name) for name in OBAMA]
        assert client.post(ENROL, {"consent": "on", "snapshot": shots}).status_code == 302

    return post


def kinds():
    return list(FaceEvent.objects.order_by("pk").values_list("kind", flat=True))


def heard_by(signal, act):
    """Return the arguments of a receiver's calls while `act` runs."""
    heard = []

    def listen(sender, **kwargs):
        heard.append(kwargs)

    signal.connect(listen)
    try:
        act()
    finally:
        signal.disconnect(listen)
    return heard


def test_face_that_comes_changes_and_goes_is_kept_and_told(client, ada, enrol):
    enrol()
    log_in_by_face(client, ada)
    enrol()
    client.post(REMOVE)
    assert kinds() == ["enrolled", "replaced", "removed"]
    assert set(FaceEvent.objects.values_list("user__username", flat=True)) == {"ada"}
    assert [(each.to, each.subject) for each in mail.outbox] == [
        (["ada@example.com"], f"Your face was {what} testserver")
        for what in ("enrolled on", "replaced on", "removed from")
    ]
    assert all("Hi ada," in each.body for each in mail.outbox)
    for enrolled in mail.outbox[:2]:
        assert enrolled.body.rstrip().endswith(f"here:\nhttp://testserver{REMOVE}")


def test_details_of_an_attempt_are_recalled_for_its_user_alone(rf, django_user_model):
    obama, biden = django_user_model(pk=1), django_user_model(pk=2)
    facts = events.EventDetails(mode="alone", outcome="accepted", distance=0.25)
    request = rf.post(LOGIN)
    events.remember(request, obama, facts)
    assert events.recall(request, obama) == facts
    assert events.recall(request, biden) == events.EventDetails()
    assert events.recall(rf.post(LOGIN), obama) == events.EventDetails()


def test_without_a_request_there_are_no_details_to_recall(django_user_model):
    obama = django_user_model(pk=1)
    events.remember(None, obama, events.EventDetails(mode="alone"))
    assert events.recall(None, obama) == events.EventDetails()


def test_removing_no_face_is_no_event(client, ada):
    client.post(REMOVE)
    assert kinds() == []


def test_signing_up_with_a_face_is_an_event(client, db, upload):
    data = {"username": "eve", "email": "eve@example.com", "consent": "on", "password": ""}
    client.post("/signup/", {**data, "snapshot": [upload(name) for name in OBAMA]})
    assert username_of(client) == "eve"
    assert kinds() == ["enrolled"]
    assert len(mail.outbox) == 1


def test_login_is_kept_with_the_decision_and_a_part_of_the_address(client, obama, upload):
    client.post(LOGIN, {"snapshot": upload("obama2")}, REMOTE_ADDR="198.51.100.7")
    log_out(client)
    data = {"username": "obama", "snapshot": upload("obama2")}
    client.post(LOGIN, data, REMOTE_ADDR="2001:db8:1:2::3")
    log_out(client)
    alone, named = FaceEvent.objects.order_by("pk")
    assert [each.mode for each in (alone, named)] == ["alone", "username"]
    assert {each.kind for each in (alone, named)} == {"login"}
    assert (alone.address, named.address) == ("198.51.100.0/24", "2001:db8:1::/48")
    assert alone.user == obama
    assert alone.outcome == "accepted"
    assert alone.distance < alone.max_distance
    assert 0 < alone.rate < 1e-2
    assert mail.outbox == []


def test_login_by_password_is_no_event_of_the_face(client, obama):
    client.post(LOGIN, {"username": "obama", "password": PASSWORD})
    assert kinds() == []


def test_refusals_are_kept_with_their_reason(client, obama, enrolled, upload):
    enrolled("gone", "biden", is_active=False)
    for name in ("", "obama", "nobody", "gone"):
        client.post(LOGIN, {"username": name, "snapshot": upload("biden")})
    found = FaceEvent.objects.order_by("pk").values_list("user__username", "outcome", "kind")
    assert list(found) == [
        ("gone", "inactive", "refused"),
        ("obama", "too_far", "refused"),
        (None, "too_far", "refused"),
        ("gone", "inactive", "refused"),
    ]
    distances = FaceEvent.objects.order_by("pk").values_list("distance", flat=True)
    assert [distance is None for distance in distances] == [False, False, True, False]


def test_stranger_is_not_noted_on_whoever_is_nearest(client, obama, upload):
    client.post(LOGIN, {"snapshot": upload("biden")})
    (event,) = FaceEvent.objects.all()
    assert (event.user, event.kind) == (None, "refused")


def test_waiting_is_kept_once_and_not_for_each_request(client, obama, upload):
    for _ in range(8):
        client.post(LOGIN, {"username": "obama", "snapshot": upload("biden")})
    assert kinds() == ["refused"] * 5 + ["locked"]


def test_disabled_and_enabled_are_kept(client, obama, upload, settings):
    settings.FACEAUTH = {**settings.FACEAUTH, "MAX_FAILURES_BEFORE_DISABLING": 1}
    client.post(LOGIN, {"username": "obama", "snapshot": upload("biden")})
    client.post(LOGIN, {"username": "obama", "password": PASSWORD})
    assert kinds() == ["refused", "disabled", "enabled"]


def test_receivers_hear_of_it(client, obama, upload, settings):
    settings.FACEAUTH = {**settings.FACEAUTH, "MAX_FAILURES": 1}

    def refused():
        client.post(LOGIN, {"username": "obama", "snapshot": upload("biden")})

    def login():
        client.post(LOGIN, {"username": "", "snapshot": upload("obama2")})

    ((failed,), (again,)) = (
        heard_by(signals.face_login_failed, refused),
        heard_by(signals.face_login_succeeded, login),
    )
    assert (failed["user"], failed["event"].outcome) == (obama, "too_far")
    assert (again["user"], again["event"].mode) == (obama, "alone")
    assert again["request"].path == LOGIN
    (locked,) = heard_by(
        signals.face_locked,
        lambda: client.post(LOGIN, {"username": "eve", "snapshot": upload("biden")}),
    )
    assert locked["user"] is None


def test_receivers_hear_of_enrolment_and_removal(client, ada, enrol):
    (enrolled,) = heard_by(signals.face_enrolled, enrol)
    log_in_by_face(client, ada)
    (removed,) = heard_by(signals.face_removed, lambda: client.post(REMOVE))
    assert enrolled["user"] == removed["user"] == ada


def test_receiver_that_fails_does_not_keep_anybody_out(client, obama, upload):
    def broken(sender, **kwargs):
        raise RuntimeError

    signals.face_login_succeeded.connect(broken)
    try:
        client.post(LOGIN, {"snapshot": upload("obama2")})
    finally:
        signals.face_login_succeeded.disconnect(broken)
    assert username_of(client) == "obama"


def test_login_goes_on_where_events_cannot_be_kept(client, obama, upload, monkeypatch, caplog):
    def full(self, *args, **kwargs):
        raise DatabaseError("disk full, obama")

    monkeypatch.setattr(FaceEvent, "save", full)
    client.post(LOGIN, {"snapshot": upload("obama2")})
    assert username_of(client) == "obama"
    assert "could not be saved: DatabaseError" in caplog.text
    assert "obama" not in caplog.text


def test_log_names_nobody(client, obama, upload, caplog):
    caplog.set_level(logging.INFO, "faceauth")
    client.post(LOGIN, {"username": "obama", "snapshot": upload("biden")})
    client.post(LOGIN, {"username": "obama", "snapshot": upload("obama2")})
    logged = [each.getMessage() for each in caplog.records if each.name == "faceauth"]
    assert logged == ["Face refused (username: too_far)", "Face login (username: accepted)"]


def test_enrolment_goes_on_where_no_mail_leaves(client, ada, enrol, monkeypatch, caplog):
    def down(*args, **kwargs):
        raise OSError("ada@example.com")

    monkeypatch.setattr("django.core.mail.EmailMessage.send", down)
    enrol()
    ada.refresh_from_db()
    assert ada.has_face
    assert "could not be sent: OSError. Check " in caplog.text
    assert ("EMAIL_BACKEND" if django.VERSION < (6, 1) else "MAILERS") in caplog.text
    assert "ada@" not in caplog.text


def test_who_has_no_address_or_wants_no_mail_gets_none(client, ada, enrol, settings):
    settings.FACEAUTH = {**settings.FACEAUTH, "NOTIFY_BY_MAIL": False}
    enrol()
    del settings.FACEAUTH["NOTIFY_BY_MAIL"]
    ada.email = ""
    ada.save(update_fields=["email"])
    log_in_by_face(client, ada)
    enrol()
    assert kinds() == ["enrolled", "replaced"]
    assert mail.outbox == []


def test_no_picture_reaches_the_receivers_of_a_failure(client, obama, upload):
    (heard,) = heard_by(
        user_login_failed,
        lambda: client.post(LOGIN, {"username": "obama", "snapshot": upload("biden")}),
    )
    assert heard["credentials"]["username"] == "obama"
    assert list(heard["credentials"].pop("snapshot")) == []


def test_visitors_see_no_distance(client, obama, upload):
    for face in ("biden", "obama2"):
        response = client.post(LOGIN, {"username": "obama", "snapshot": upload(face)}, follow=True)
        (event, *_) = FaceEvent.objects.all()
        assert f"{event.distance:.2f}" not in response.text
        assert "distance" not in response.text


def test_staff_read_events_and_change_none(admin_client, client, obama, upload):
    client.post(LOGIN, {"username": "obama", "snapshot": upload("biden")})
    event = FaceEvent.objects.get()
    listing = "/admin/faceauth/faceevent/"
    page = admin_client.get(listing, {"kind": "refused", "q": "obama"})
    assert page.status_code == 200
    assert "too_far" in page.text
    assert f"{event.distance:.4f}"[:5] in page.text
    assert admin_client.get(f"{listing}{event.pk}/change/").status_code == 200
    assert admin_client.get(f"{listing}add/").status_code == 403
    assert admin_client.post(f"{listing}{event.pk}/delete/", {"post": "yes"}).status_code == 403
    assert admin_client.post(f"{listing}{event.pk}/change/", {"kind": "login"}).status_code == 403
    assert FaceEvent.objects.get() == event


def test_events_outlive_their_user_without_naming_them(obama, client, upload):
    client.post(LOGIN, {"username": "obama", "snapshot": upload("biden")})
    obama.delete()
    assert FaceEvent.objects.get().user is None
