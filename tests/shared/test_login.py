"""Enrolling, logging in and being forgotten, on the app's own pages."""

from __future__ import annotations

import pytest
from django.contrib.auth import authenticate, get_user_model
from django.core import mail
from django.db import connection
from django.test.utils import CaptureQueriesContext

from faceauth import backends, enrolment
from faceauth.admin import staff
from faceauth.errors import AccountGone
from faceauth.gallery import gallery
from faceauth.lockout import counters
from faceauth.models import FaceEvent, FailureCount
from tests.support.accounts import (
    PASSWORD,
    account,
    address,
    face,
    log_in_by_face,
    logged_in,
    templates,
    username,
    users,
)
from tests.support.admin import made_up
from tests.support.people import OBAMA, encodings, picture

pytestmark = pytest.mark.postgres

LOGIN, ENROL, REMOVE, CONFIRM = (
    f"/face/{name}/" for name in ("login", "enrol", "remove", "confirm")
)


def kinds():
    return [(each.kind, each.user and each.user.email) for each in FaceEvent.objects.order_by("pk")]


@pytest.mark.real
def test_enrol_log_in_confirm_enrol_again_and_remove(client, ada, send):
    client.post(LOGIN, {"username": username("ada"), "password": PASSWORD})
    assert logged_in(client) == "ada"
    assert not client.get("/face/whoami/").json()["user"]["has_face"]
    assert "you can log in with your face" in client.get(ENROL).text
    assert send(ENROL, *OBAMA, consent="on")[0] == 200
    first = face(ada).face_enrolled_at
    assert face(ada).has_face and face(ada).face_shots == len(OBAMA)
    client.logout()

    status, answer = send(LOGIN, "obama2")
    assert (status, answer["message"]) == (200, "Welcome back, ada.")
    assert logged_in(client) == "ada"
    assert face(ada).face_last_used_at is not None
    assert send(CONFIRM, "obama2")[0] == 200
    user = client.get("/face/whoami/").json()["user"]
    assert (user["has_face"], user["greeting"]) == (True, "Hello, ada.")

    assert "replace the ones you enrolled" in client.get(ENROL).text
    assert send(ENROL, *OBAMA, consent="on")[0] == 200
    assert face(ada).face_enrolled_at > first

    assert send(REMOVE)[0] == 200
    assert face(ada).face_encodings is None and face(ada).face_enrolled_at is None
    client.logout()
    assert send(LOGIN, "obama2")[0] == 401
    told = ("enrolled", "login", "confirmed", "replaced", "removed")
    assert kinds() == [*[(kind, address("ada")) for kind in told], ("refused", None)]
    assert len(mail.outbox) == 3


def test_username_and_face(client, obama, send):
    status, answer = send(LOGIN, "obama2", username=username("obama"))
    assert (status, answer["message"]) == (200, "Welcome back, obama.")
    assert logged_in(client) == "obama"


@pytest.mark.parametrize("name", ["", "obama", "ada", "nobody"])
def test_somebody_else_is_refused(client, obama, ada, send, name):
    assert send(LOGIN, "biden", username=name and username(name))[0] == 401
    assert logged_in(client) is None


def test_whoever_may_not_log_in_is_refused(obama, send):
    staff.disable(None, obama)
    assert send(LOGIN, "obama2")[0] == 401
    staff.enable(None, obama)
    # A user model need not have this column.
    columns = [each.name for each in get_user_model()._meta.get_fields()]
    refused = {"disabled"}
    if "is_active" in columns:
        users().update(is_active=False)
        assert send(LOGIN, "obama2")[0] == 401
        users().update(is_active=True)
        refused |= {"inactive"}
    assert send(LOGIN, "obama2")[0] == 200
    outcomes = FaceEvent.objects.filter(kind="refused").values_list("outcome", flat=True)
    assert {*outcomes} == refused


def test_password_logs_in_who_has_no_face(client, ada):
    client.post(LOGIN, {"username": username("ada"), "password": PASSWORD})
    assert logged_in(client) == "ada"
    assert not templates().exists()


def test_pages_need_nothing_of_the_projects_own(client, obama):
    for path in (LOGIN, "/face/notice/", "/face/whoami/"):
        assert client.get(path).status_code == 200
    assert client.get(ENROL).url.partition("?")[2] == f"next={ENROL}"
    client.force_login(obama, "faceauth.backends.FaceBackend")
    for path in (ENROL, REMOVE, "/face/notice/", "/face/export/"):
        assert client.get(path).status_code == 200


def test_notice_that_has_changed_is_agreed_to_again(client, obama, settings):
    settings.FACEAUTH = {**settings.FACEAUTH, "NOTICE_VERSION": "2"}
    client.force_login(obama)
    assert "You agreed to an earlier version on " in client.get("/face/notice/").text
    client.post("/face/notice/", {"version": "2"})
    assert face(obama).face_consent_version == "2"
    assert "You agreed to an earlier version" not in client.get("/face/notice/").text


def test_export_has_all_and_opens_the_encodings(client, obama):
    log_in_by_face(client, obama)
    told = client.get("/face/export/").json()
    assert told["username"] == username("obama")
    assert len(told["face"]["encodings"]) == 3
    assert told["consent"]["notice_version"] == "1"
    assert [each["kind"] for each in told["events"]] == []


def test_account_that_is_deleted_takes_its_face_along(obama, send):
    assert send(LOGIN, "biden", username=username("obama"))[0] == 401
    assert send(LOGIN, "obama2")[0] == 200
    obama.delete()
    assert not templates().exists()
    assert not counters.account_failures(obama).exists()
    assert {*FaceEvent.objects.values_list("user", "address", "distance")} == {(None, "", None)}
    assert authenticate(None, snapshot=picture("obama2")) is None
    assert len(gallery()) == 0


def test_whoever_is_gone_gets_no_face(ada):
    stale = users().get(pk=ada.pk)
    ada.delete()
    with pytest.raises(AccountGone):
        enrolment.enrol(stale, made_up(1))
    assert not staff.disable(None, stale)
    assert not templates().exists()


def test_failures_disable_a_face_until_a_password_comes(client, obama, send, settings):
    settings.FACEAUTH = {**settings.FACEAUTH, "MAX_FAILURES_BEFORE_DISABLING": 1}
    assert send(LOGIN, "biden", username=username("obama"))[0] == 401
    assert FailureCount.objects.get(user=obama).disabled_at is not None
    assert send(LOGIN, "obama2")[0] == 401
    client.post(LOGIN, {"username": username("obama"), "password": PASSWORD})
    client.logout()
    assert send(LOGIN, "obama2")[0] == 200


def test_queries_do_not_tell_who_has_a_face(obama, ada):
    eve = account("eve")
    enrolment.enrol(eve, made_up(1))
    enrolment.remove(eve)
    probe, backend = encodings("biden"), backends.FaceBackend()

    def asked(name):
        name = username(name)
        with CaptureQueriesContext(connection) as queries:
            found = backend.verify(probe, backend.find_user(None, name))
        assert not found.decision.accepted
        return [each["sql"].replace(f"'{name}'", "NAME") for each in queries]

    first, *others = [asked(name) for name in ("obama", "ada", "eve", "nobody")]
    # An address is looked for in the column of the addresses too.
    assert len(first) == (2 if "@" in username("obama") else 1)
    assert others == [first] * 3
