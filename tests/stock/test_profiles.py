"""Faces that lie beside the rows of Django's own users, which know nothing of them."""

from __future__ import annotations

import pytest
from django.contrib.auth import authenticate
from django.contrib.auth.models import User
from django.core.exceptions import ImproperlyConfigured
from django.core.files.base import ContentFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils.formats import date_format
from django.utils.timezone import localtime

from faceauth import backends, checks, enrolment, faces
from faceauth.gallery import gallery
from faceauth.profiles.models import FaceProfile
from tests.support.accounts import PASSWORD, account, face
from tests.support.admin import made_up
from tests.support.people import encodings, picture

pytestmark = pytest.mark.postgres

LOGIN = "/face/login/"


@pytest.fixture
def ada(db):
    return account("ada")


def test_face_leads_to_the_projects_home_page(client, obama, ask, upload):
    status, answer = ask(LOGIN, snapshot=upload("obama2"))
    assert (status, answer["next"]) == (200, "/")
    assert client.get("/").text == "Hello, obama."
    client.logout()
    assert ask(LOGIN, snapshot=upload("biden"))[0] == 401
    assert client.get("/").text == "Hello, AnonymousUser."
    enrol = "/face/enrol/"
    assert client.get(enrol).url == f"{LOGIN}?next={enrol}"


def test_password_login_makes_no_row(client, ada):
    client.post(LOGIN, {"username": "ada", "password": PASSWORD})
    assert client.get("/").text == "Hello, ada."
    assert not FaceProfile.objects.exists()
    assert not client.get("/face/whoami/").json()["user"]["has_face"]


def test_earlier_consent_has_its_date(client, obama, settings):
    settings.FACEAUTH = {**settings.FACEAUTH, "NOTICE_VERSION": "2"}
    client.force_login(obama)
    agreed = date_format(localtime(face(obama).face_consented_at), "DATE_FORMAT")
    page = client.get("/face/notice/").text
    assert f"You agreed to an earlier version on {agreed}" in page


def test_deleted_account_leaves_no_row(obama):
    obama.delete()
    assert not FaceProfile.objects.exists()


def test_row_that_came_while_its_user_was_deleted_goes_too(ada):
    stale = User.objects.get(pk=ada.pk)
    faces.ensure_row(ada)
    stale.delete()
    assert not FaceProfile.objects.exists()


def test_user_who_is_new_is_saved_with_a_face(db):
    user = User(username="ada")
    assert not faces.of(user).has_face
    enrolment.enrol(user, made_up(1))
    assert face(user).has_face and faces.of(user).has_face


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


def test_nowhere_to_keep_faces(settings):
    settings.INSTALLED_APPS = [
        name for name in settings.INSTALLED_APPS if name != "faceauth.profiles"
    ]
    (error,) = checks.check_user_model(None)
    assert error.id == "faceauth.E003"
    assert "FaceTemplateMixin" in error.hint and "'faceauth.profiles'" in error.hint
    with pytest.raises(ImproperlyConfigured, match="'faceauth.profiles'"):
        faces.model()
    assert checks.check_people(None, databases=["default"]) == []


def test_staff_without_a_face_are_counted_where_the_admin_asks_for_it(ada, settings):
    User.objects.update(is_staff=True)
    settings.FACEAUTH = {**settings.FACEAUTH, "ADMIN_SECOND_STEP": True}
    (warning,) = checks.check_staff(None, databases=["default"])
    assert "cannot enter the admin: 1." in warning.msg
    enrolment.enrol(ada, made_up(1))
    assert checks.check_staff(None, databases=["default"]) == []
