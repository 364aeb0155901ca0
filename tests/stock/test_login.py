"""Enrolling, logging in and being forgotten, on the app's own pages."""

from __future__ import annotations

import json
import re

import pytest
from django.contrib.auth import authenticate
from django.contrib.auth.models import User
from django.core import mail
from django.core.files.base import ContentFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils.formats import date_format
from django.utils.timezone import localtime

from faceauth import backends, enrolment, faces
from faceauth.admin import staff
from faceauth.errors import AccountGone
from faceauth.gallery import gallery
from faceauth.lockout import counters
from faceauth.models import FaceEvent, FailureCount
from faceauth.profiles.models import FaceProfile
from tests.stock.conftest import PASSWORD, face
from tests.support.admin import made_up, member
from tests.support.people import OBAMA, encodings, picture

LOGIN, ENROL, REMOVE = "/face/login/", "/face/enrol/", "/face/remove/"


def kinds():
    return [*FaceEvent.objects.order_by("pk").values_list("kind", "user__username")]


@pytest.mark.real
def test_enrol_log_in_enrol_again_and_remove(client, ada, send):
    client.force_login(ada)
    assert "Once your face is enrolled" in client.get(ENROL).text
    assert send(ENROL, *OBAMA, consent="on")[0] == 200
    first = face(ada).face_enrolled_at
    assert face(ada).has_face and face(ada).face_shots == len(OBAMA)
    client.logout()

    status, answer = send(LOGIN, "obama2")
    assert (status, answer["next"]) == (200, "/")
    assert client.get("/").text == "Hello, ada."
    assert face(ada).face_last_used_at is not None
    assert client.get("/face/whoami/").json()["user"]["has_face"]

    assert "replace the ones you enrolled" in client.get(ENROL).text
    assert send(ENROL, *OBAMA, consent="on")[0] == 200
    assert face(ada).face_enrolled_at > first

    assert send(REMOVE)[0] == 200
    assert face(ada).face_encodings is None and face(ada).face_enrolled_at is None
    client.logout()
    assert send(LOGIN, "obama2")[0] == 401
    assert kinds() == [
        *[(kind, "ada") for kind in ("enrolled", "login", "replaced", "removed")],
        ("refused", None),
    ]
    assert len(mail.outbox) == 3


def test_username_and_face(client, obama, send):
    assert send(LOGIN, "obama2", username="obama")[0] == 200
    assert client.get("/").text == "Hello, obama."


@pytest.mark.parametrize("names", [{}, {"username": "obama"}, {"username": "ada"}])
def test_somebody_else_is_refused(client, obama, ada, send, names):
    assert send(LOGIN, "biden", **names)[0] == 401
    assert client.get("/").text == "Hello, AnonymousUser."


def test_whoever_may_not_log_in_is_refused(obama, send):
    staff.disable(None, obama)
    assert send(LOGIN, "obama2")[0] == 401
    staff.enable(None, obama)
    User.objects.update(is_active=False)
    assert send(LOGIN, "obama2")[0] == 401
    User.objects.update(is_active=True)
    assert send(LOGIN, "obama2")[0] == 200
    outcomes = FaceEvent.objects.filter(kind="refused").values_list("outcome", flat=True)
    assert {*outcomes} == {"disabled", "inactive"}


def test_password_logs_in_who_has_no_face_and_no_row(client, ada):
    client.post(LOGIN, {"username": "ada", "password": PASSWORD})
    assert client.get("/").text == "Hello, ada."
    assert not FaceProfile.objects.exists()
    assert not client.get("/face/whoami/").json()["user"]["has_face"]


def test_every_page_comes_with_nothing_of_the_projects_own(client, obama):
    for path in (LOGIN, "/face/notice/"):
        assert client.get(path).status_code == 200
    assert client.get(ENROL).url == f"{LOGIN}?next={ENROL}"
    client.force_login(obama, "faceauth.backends.FaceBackend")
    for path in (ENROL, REMOVE, "/face/notice/", "/face/export/"):
        assert client.get(path).status_code == 200


def test_notice_that_has_changed_is_agreed_to_again(client, obama, settings):
    settings.FACEAUTH = {**settings.FACEAUTH, "NOTICE_VERSION": "2"}
    client.force_login(obama)
    agreed = date_format(localtime(face(obama).face_consented_at), "DATE_FORMAT")
    page = client.get("/face/notice/").text
    assert f"You agreed to an earlier version on {agreed}" in page
    client.post("/face/notice/", {"version": "2"})
    assert face(obama).face_consent_version == "2"
    assert "You agreed to an earlier version" not in client.get("/face/notice/").text


def test_export_has_all_and_opens_the_encodings(client, obama):
    client.force_login(obama)
    told = json.loads(client.get("/face/export/").content)
    assert len(told["face"]["encodings"]) == 3
    assert told["consent"]["notice_version"] == "1"
    assert [each["kind"] for each in told["events"]] == []


def test_account_that_is_deleted_takes_its_face_along(obama, send):
    assert send(LOGIN, "biden", username="obama")[0] == 401
    assert send(LOGIN, "obama2")[0] == 200
    obama.delete()
    assert not FaceProfile.objects.exists()
    assert not counters.account_failures(obama).exists()
    assert {*FaceEvent.objects.values_list("user", "address", "distance")} == {(None, "", None)}
    assert authenticate(None, snapshot=picture("obama2")) is None
    assert len(gallery()) == 0


def test_row_that_came_while_its_user_was_deleted_goes_too(ada):
    stale = User.objects.get(pk=ada.pk)
    faces.ensure_row(ada)
    stale.delete()
    assert not FaceProfile.objects.exists()


def test_whoever_is_gone_gets_no_face(ada):
    stale = User.objects.get(pk=ada.pk)
    ada.delete()
    with pytest.raises(AccountGone):
        enrolment.enrol(stale, made_up(1))
    assert not staff.disable(None, stale)
    assert not FaceProfile.objects.exists()


def test_user_who_is_new_is_saved_with_a_face(db):
    user = User(username="ada")
    assert not faces.of(user).has_face
    enrolment.enrol(user, made_up(1))
    assert face(user).has_face and faces.of(user).has_face


def test_failures_disable_a_face_until_a_password_comes(client, obama, send, settings):
    settings.FACEAUTH = {**settings.FACEAUTH, "MAX_FAILURES_BEFORE_DISABLING": 1}
    assert send(LOGIN, "biden", username="obama")[0] == 401
    assert FailureCount.objects.get(user=obama).disabled_at is not None
    assert send(LOGIN, "obama2")[0] == 401
    client.post(LOGIN, {"username": "obama", "password": PASSWORD})
    client.logout()
    assert send(LOGIN, "obama2")[0] == 200


def test_queries_do_not_tell_who_has_a_face(obama, ada):
    member("eve")
    enrolment.enrol(eve := User.objects.get(username="eve"), made_up(1))
    enrolment.remove(eve)
    probe = encodings("biden")

    def asked(name):
        with CaptureQueriesContext(connection) as queries:
            found = backends.FaceBackend().verify(probe, name)
        assert not found.decision.accepted
        return [re.sub(r"'\w+'", "NAME", each["sql"]) for each in queries]

    first, *others = [asked(name) for name in ("obama", "ada", "eve", "nobody")]
    assert len(first) == 1 and others == [first] * 3


def test_login_asks_for_the_face_together_with_the_user(obama):
    gallery().nearest(encodings("obama"))
    with CaptureQueriesContext(connection) as queries:
        user = authenticate(None, snapshot=ContentFile(picture("obama2")))
        assert faces.of(user).has_face
    read = [each["sql"] for each in queries if '"face_encodings",' in each["sql"]]
    assert len(read) == 1
    with CaptureQueriesContext(connection) as queries:
        assert faces.of(backends.FaceBackend().get_user(obama.pk)).has_face
    assert len(queries) == 1
