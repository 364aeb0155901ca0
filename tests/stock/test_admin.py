"""Django's own user admin, which shows faces without any code in the project."""

from __future__ import annotations

import re

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from faceauth.admin import FaceAdminMixin
from faceauth.admin import staff as doing
from faceauth.profiles.models import FaceProfile
from tests.support.accounts import face
from tests.support.admin import SEES_USERS, member, staff, taken

pytestmark = pytest.mark.postgres

USERS = "/admin/auth/user/"


@pytest.fixture
def people(db):
    """Ada with a good face, grace with a bad one, and eve without any."""
    return [member("ada", 1), member("grace", 2, taken(sharpness=0.15)), member("eve")]


def named(page):
    """Return the usernames in the list."""
    return re.findall(r"/change/[^>]*>(\w+)</a></th>", page.text)


def test_list_takes_few_queries_and_decrypts_nothing(admin_client, people):
    for number in range(10, 30):
        User.objects.create_user(f"user{number}")
    with CaptureQueriesContext(connection) as queries:
        page = admin_client.get(USERS)
    assert len(named(page)) == 24
    assert "field-face_quality_bar" in page.text and "100 %" in page.text
    assert len(queries) <= 11
    assert not [each["sql"] for each in queries if "face_encodings" in each["sql"]]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("enrolled=yes", ["ada", "grace"]),
        ("enrolled=no", ["eve"]),
        ("quality=low", ["grace"]),
        ("quality=good", ["ada"]),
        ("quality=unknown", []),
        ("last=week", ["ada"]),
        ("last=never", ["grace"]),
        ("disabled=staff", ["eve"]),
        ("disabled=no", ["ada", "grace"]),
        ("flagged=yes", ["grace"]),
        ("flagged=no", ["ada", "eve"]),
        ("enrolled=yes&q=gra", ["grace"]),
    ],
)
def test_filters_and_search(client, people, query, found):
    ada, grace, eve = people
    now = timezone.now()
    FaceProfile.objects.filter(pk=ada.pk).update(face_last_used_at=now)
    FaceProfile.objects.filter(pk=grace.pk).update(face_flagged_at=now)
    doing.disable(None, eve)
    client.force_login(ada)
    User.objects.filter(pk=ada.pk).update(is_staff=True, is_superuser=True)
    assert named(client.get(f"{USERS}?{query}")) == found


@pytest.mark.parametrize("column", range(1, 11))
def test_every_column_sorts_and_unknown_comes_last(admin_client, people, column):
    descending = named(admin_client.get(USERS, {"o": f"-{column}"}))
    assert len(descending) == 4
    if column == 8:
        assert descending[:2] == ["ada", "grace"]


def test_page_of_a_user_shows_their_face_to_who_may_see_it(client, people):
    ada, _grace, eve = people
    client.force_login(staff("clerk", *SEES_USERS, "enrol_face", "remove_face"))
    page = client.get(f"{USERS}{ada.pk}/change/").text
    assert "faceauth-panel" in page and "Template quality" in page and "Remove face" in page
    assert "No face is enrolled." in client.get(f"{USERS}{eve.pk}/change/").text
    assert client.get(f"{USERS}{eve.pk}/face/photos/").status_code == 200
    client.force_login(staff("other", "view_user"))
    assert "faceauth-panel" not in client.get(f"{USERS}{ada.pk}/change/").text
    assert "field-face_" not in client.get(USERS).text


def test_staff_acts_on_faces(admin_client, people):
    ada, grace, eve = people

    def act(action, *users, **more):
        form = {"action": action, "_selected_action": [user.pk for user in users], **more}
        return admin_client.post(USERS, form, follow=True).text

    assert "Remove the faces of 2 users?" in act("remove_face", *people)
    assert "1 face was removed." in act("remove_face", ada, eve, faceauth_confirmed="yes")
    assert not face(ada).has_face and face(grace).has_face
    assert "disabled for 2 users" in act("disable_face", grace, eve, faceauth_confirmed="yes")
    assert face(eve).face_disabled_at and face(grace).face_disabled_at
    assert "enabled for 1 user" in act("enable_face", eve)
    FaceProfile.objects.filter(pk=grace.pk).update(face_flagged_at=timezone.now())
    assert "1 flag was cleared." in act("clear_flag", *people)


def test_dashboard_and_events(admin_client, people):
    page = admin_client.get("/admin/faceauth/faceevent/dashboard/")
    users = page.context["users"]
    assert (users.active, users.enrolled, users.low) == (4, 2, 1)
    assert admin_client.get("/admin/faceauth/faceevent/").status_code == 200


def test_user_is_deleted_in_the_admin(admin_client, people):
    ada = people[0]
    assert "Face: ada" in admin_client.get(f"{USERS}{ada.pk}/delete/").text
    admin_client.post(f"{USERS}{ada.pk}/delete/", {"post": "yes"})
    assert not FaceProfile.objects.filter(pk=ada.pk).exists()


def test_faces_have_no_page_of_their_own(db):
    assert isinstance(admin.site.get_model_admin(User), FaceAdminMixin)
    assert not admin.site.is_registered(FaceProfile)
