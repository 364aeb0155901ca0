"""Changing a face takes the face: somebody who knows the password alone gets nowhere with it."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.http import HttpResponse
from django.urls import include, path
from django.utils import timezone
from django.views import View

from accounts.models import User
from config.urls import handler404, handler500  # noqa: F401  (the site's own)
from faceauth import enrolment
from faceauth.admin import staff
from faceauth.decorators import face_required
from faceauth.encryption.fields import Sealed
from faceauth.mixins import FaceRequiredMixin
from tests.site.conftest import JSON, PASSWORD, log_in_by_face
from tests.support.admin import member
from tests.support.people import OBAMA, encodings

CONFIRM, LOGIN, VAULT = "/face/confirm/", "/face/login/", "/vault/"
ENROL, REMOVE, EXPORT = "/face/enrol/", "/face/remove/", "/face/export/"
USERS = "/admin/accounts/user/"

pytestmark = pytest.mark.urls(__name__)


@face_required(password=False)
def vault(request):
    return HttpResponse("opened")


class Keys(FaceRequiredMixin, View):
    face_or_password = False

    def get(self, request):
        return HttpResponse("opened")


class Drawer(FaceRequiredMixin, View):
    def get(self, request):
        return HttpResponse("opened")


urlpatterns = [
    path("vault/", vault),
    path("keys/", Keys.as_view()),
    path("drawer/", Drawer.as_view()),
    path("", include("config.urls")),
]


@pytest.fixture
def clock():
    with time_machine.travel(timezone.now(), tick=False) as clock:
        yield clock


@pytest.fixture
def thief(client, obama, clock):
    """Somebody who has just logged in with Obama's password."""
    client.post(LOGIN, {"username": "obama", "password": PASSWORD})
    return client


def opened(client, page=VAULT):
    return client.get(page).status_code == 200


def code(answer):
    return answer[1]["error"]["code"]


def shots(upload, *names):
    return {"consent": "on", "snapshot": [upload(name) for name in names or OBAMA]}


# With the password alone


def test_password_alone_changes_nothing(thief, obama, ask, upload):
    assert not opened(thief)
    for page, data in (ENROL, shots(upload)), (REMOVE, {}):
        assert code(ask(page, **data)) == "face_required"
    assert thief.get(EXPORT, headers=JSON).json()["error"]["confirm"].endswith("&only=face")
    # Nor does confirming by password again.
    assert ask(CONFIRM, password=PASSWORD)[0] == 200
    assert code(ask(REMOVE)) == "face_required"
    assert User.objects.get().face_enrolled_at == obama.face_enrolled_at


def test_page_that_asks_for_the_face_says_what_to_do_without_a_camera(thief):
    page = thief.get(REMOVE, follow=True).text
    assert "You can confirm only with your face here." in page
    assert 'name="password"' not in page
    assert 'href="/face/remove/by-email/"' in page
    User.objects.update(email="")
    page = thief.get(REMOVE, follow=True).text
    assert "ask the site’s staff for help" in page
    assert "by-email" not in page


@pytest.mark.parametrize("page", [ENROL, EXPORT, REMOVE])
@pytest.mark.parametrize("lost", ["unreadable", "disabled by staff"])
def test_whose_face_cannot_be_shown_confirms_by_password(client, obama, clock, page, lost):
    if lost == "unreadable":
        User.objects.update(face_encodings=Sealed(b"\x02lost"))
    else:
        staff.disable(None, obama)
    client.force_login(obama)
    assert opened(client, page)
    clock.shift(timedelta(hours=1))
    assert client.get(page)["Location"] == f"{CONFIRM}?next={page.replace('/', '%2F')}"
    client.post(CONFIRM, {"password": PASSWORD})
    assert opened(client, page)


def test_failed_attempts_do_not_make_the_password_enough(thief, ask, upload, settings, client):
    settings.FACEAUTH = {**settings.FACEAUTH, "MAX_FAILURES_BEFORE_DISABLING": 1}
    ask(CONFIRM, snapshot=upload("biden"))
    assert ask(CONFIRM, snapshot=upload("obama2"))[0] in (401, 429)
    assert code(ask(REMOVE)) == "face_required"


# The vault, after a change


@pytest.mark.parametrize("page", [VAULT, "/keys/"])
def test_face_that_was_removed_opens_it_to_nobody(client, obama, ask, clock, page):
    """Even where the face was shown, or the removal went round it."""
    log_in_by_face(client, obama)
    assert opened(client, page)
    assert ask(REMOVE)[0] == 200
    ask(LOGIN, username="obama", password=PASSWORD)
    assert client.get(page).status_code == 403
    clock.shift(timedelta(hours=24))
    ask(LOGIN, username="obama", password=PASSWORD)
    assert opened(client, page)


def test_face_that_was_replaced_opens_it_later(client, obama, ask, upload, clock):
    log_in_by_face(client, obama)
    assert ask(ENROL, **shots(upload))[0] == 200
    assert client.get(VAULT).status_code == 403
    assert opened(client, "/drawer/")
    clock.shift(timedelta(hours=24))
    log_in_by_face(client, obama)
    assert opened(client)


def test_face_that_the_staff_replaced_opens_it_later(client, obama, upload, clock):
    enrolment.enrol(User.objects.get(), encodings("biden"), by="staff")
    log_in_by_face(client, obama)
    assert client.get(VAULT).status_code == 403


def test_first_face_opens_it_later_and_no_face_at_once(client, ask, upload, clock, db):
    """Whoever never had a face confirms by password."""
    eve = member("eve")
    client.force_login(eve)
    assert opened(client)
    assert ask(ENROL, **shots(upload))[0] == 200
    log_in_by_face(client, eve)
    assert client.get(VAULT).status_code == 403


def test_refusal_says_until_when(client, obama, clock):
    clock.move_to("2026-11-28T09:30:00Z")
    enrolment.remove(obama)
    client.force_login(obama)
    page = client.get(VAULT)
    assert page.status_code == 403
    assert "This page is closed for now" in page.text
    assert "is closed (until Nov. 29, 2026, 9:30 a.m.)." in " ".join(page.text.split())
    error = client.get(VAULT, headers=JSON).json()["error"]
    assert error["code"] == "face_too_new"
    assert error["opens_at"].startswith("2026-11-29T09:30:00")


@pytest.mark.parametrize("hours", [None, 1])
def test_time_is_the_sites_to_choose(client, obama, settings, clock, hours):
    settings.FACEAUTH = {**settings.FACEAUTH, "FACE_COOLDOWN_HOURS": hours}
    enrolment.enrol(obama, encodings("obama2"))
    clock.shift(timedelta(hours=hours or 0))
    log_in_by_face(client, obama)
    assert opened(client)


# Staff and their own face


@pytest.mark.parametrize("action", ["remove_face", "disable_face"])
@pytest.mark.parametrize("where", ["list", "page"])
def test_staff_change_their_own_face_with_it(client, enrolled, action, where):
    boss = enrolled("boss", "obama", password=PASSWORD, is_staff=True, is_superuser=True)
    eve = enrolled("eve", "biden")

    def act(user):
        form = {"action": action, "_selected_action": [user.pk], "faceauth_confirmed": "yes"}
        page = USERS if where == "list" else f"{USERS}{user.pk}/face/do/{action}/"
        return client.post(page, form)

    def changed(user):
        user.refresh_from_db()
        return not user.has_face or user.face_disabled_at is not None

    client.force_login(boss)
    assert act(boss)["Location"].startswith(CONFIRM)
    act(eve)
    assert (changed(boss), changed(eve)) == (False, True)
    log_in_by_face(client, boss)
    act(boss)
    assert changed(boss)
