"""The second step, the face after the password, for every page."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.urls import include, path

from accounts.models import User
from config.urls import handler404, handler500  # noqa: F401  (the site's own)
from faceauth.decorators import second_step_exempt
from faceauth.models import FailureCount
from tests.site.conftest import JSON, PASSWORD, username_of
from tests.site.test_step_up import CONFIRM, LOGIN, clock, led_to, opened, shots
from tests.support.admin import member
from tests.support.mail import sent

__all__ = ["clock"]

pytestmark = pytest.mark.urls(__name__)


@second_step_exempt
async def hello(request):
    return HttpResponse("hello")


urlpatterns = [path("hello/", hello), path("", include("config.urls"))]


@pytest.fixture
def second_step(settings):
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, "faceauth.middleware.FaceSecondStepMiddleware"]


@pytest.fixture
def inside(client, obama, ask, second_step):
    """Log Obama in by password alone."""
    assert ask(LOGIN, username="obama", password=PASSWORD)[0] == 200
    return client


def test_second_step_offers_no_way_around(inside):
    assert "Not now" not in inside.get(CONFIRM, {"next": "/members/"}).text


def test_password_alone_shows_nothing(inside, ask):
    for page in (
        "/members/",
        "/",
        "/accounts/profile/",
        "/face/enrol/",
        "/admin/",
        "/face/export/",
    ):
        assert led_to(inside.get(page)) == (CONFIRM, {"next": page, "only": "face"})
    answer = inside.get("/members/", headers=JSON)
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "face_required")


def test_face_after_the_password_shows_everything(inside, ask, upload, clock):
    page = inside.get(f"{CONFIRM}?next=/members/&only=face").text
    assert 'name="password"' not in page
    assert "ask the site’s staff" in page
    status, answer = ask(CONFIRM, snapshot=upload("obama2"), next="/members/")
    assert (status, answer["next"]) == (200, "/members/")
    clock.shift(timedelta(hours=23))
    assert opened(inside, "/members/")


def test_password_again_is_no_second_step(inside, ask, upload):
    ask(CONFIRM, password=PASSWORD)
    assert not opened(inside, "/members/")
    ask(CONFIRM, snapshot=upload("biden"))
    assert not opened(inside, "/members/")


def test_what_it_takes_to_show_a_face_is_open(inside, upload, ask):
    assert opened(inside, "/face/notice/") and opened(inside, "/hello/")
    assert inside.get("/face/whoami/").json()["user"]["username"] == "obama"
    assert ask("/face/frames/", frame=upload("obama2"), pose="straight")[0] == 200
    assert led_to(inside.post("/accounts/logout/")) == ("/", {})
    assert username_of(inside) is None


def test_face_alone_needs_no_second_step(client, obama, ask, upload, second_step):
    ask(LOGIN, snapshot=upload("obama2"))
    assert opened(client, "/members/")


def test_who_has_no_face_comes_in_by_password_and_may_enrol(client, ask, upload, second_step, db):
    member("eve")
    ask(LOGIN, username="eve", password=PASSWORD)
    assert opened(client, "/members/")
    assert ask("/face/enrol/", **shots(upload))[0] == 200
    assert not opened(client, "/members/")
    ask(CONFIRM, snapshot=upload("obama2"))
    assert opened(client, "/members/")


def test_strangers_are_not_asked(client, second_step, db):
    assert opened(client, "/") and opened(client, LOGIN)


def test_password_makes_up_for_no_failures(inside, obama, ask, upload, settings):
    settings.FACEAUTH = {**settings.FACEAUTH, "MAX_FAILURES_BEFORE_DISABLING": 1}
    ask(CONFIRM, snapshot=upload("biden"))
    ask(CONFIRM, password=PASSWORD)
    inside.logout()
    ask(LOGIN, username="obama", password=PASSWORD)
    assert FailureCount.objects.filter(user=obama, disabled_at__isnull=False).exists()
    assert ask(CONFIRM, snapshot=upload("obama2"))[0] == 401


# And the admin


def test_password_and_then_the_face_open_the_admin_too(client, obama, ask, upload, settings):
    settings.FACEAUTH = {**settings.FACEAUTH, "ADMIN_SECOND_STEP": True}
    User.objects.filter(pk=obama.pk).update(is_staff=True, is_superuser=True)
    ask(LOGIN, username="obama", password=PASSWORD)
    assert not opened(client, "/admin/")
    ask(CONFIRM, password=PASSWORD)
    assert not opened(client, "/admin/")
    ask(CONFIRM, snapshot=upload("obama2"))
    assert opened(client, "/admin/")


# Strangers


def test_stranger_who_knows_the_name_keeps_nobody_out(client, obama, ask, upload, second_step):
    stranger = Client()
    for _ in range(6):
        stranger.post(LOGIN, {"username": "obama", "snapshot": upload("biden")})
    ask(LOGIN, username="obama", password=PASSWORD)
    assert not opened(client, "/members/")
    assert ask(CONFIRM, snapshot=upload("obama2"))[0] == 200
    assert opened(client, "/members/")


def test_who_knows_the_password_guesses_no_longer_than_others(inside, ask, upload):
    heard = [ask(CONFIRM, snapshot=upload("biden"))[0] for _ in range(6)]
    assert heard == [401] * 5 + [429]
    assert ask(CONFIRM, snapshot=upload("obama2"))[0] == 429


def test_failures_before_there_was_a_face_are_none_of_it(client, ask, upload, settings, db):
    settings.FACEAUTH = {**settings.FACEAUTH, "MAX_FAILURES_BEFORE_DISABLING": 2}
    member("eve")
    for _ in range(3):
        Client().post(LOGIN, {"username": "eve", "snapshot": upload("biden")})
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, "faceauth.middleware.FaceSecondStepMiddleware"]
    ask(LOGIN, username="eve", password=PASSWORD)
    assert ask("/face/enrol/", **shots(upload))[0] == 200
    assert ask(CONFIRM, snapshot=upload("obama2"))[0] == 200


def test_mailbox_makes_up_for_no_failures(inside, obama, ask, upload, client):
    ask(CONFIRM, snapshot=upload("biden"))
    counted = FailureCount.objects.filter(key__startswith="own:")
    assert counted.get().failures == 1
    client.post("/accounts/logout/")
    client.post("/accounts/password-reset/", {"email": obama.email})
    link = next(line for line in sent()[-1].body.splitlines() if line.startswith("http"))
    page = client.get(link, follow=True)
    new = {"new_password1": "another long one", "new_password2": "another long one"}
    page = client.post(page.redirect_chain[-1][0], new, follow=True)
    assert page.status_code == 200
    obama.refresh_from_db()
    assert obama.check_password("another long one")
    assert counted.get().failures == 1


def test_face_that_the_site_cannot_read_any_more_lets_nobody_past(client, ask, obama, second_step):
    with connection.cursor() as cursor:
        cursor.execute("UPDATE accounts_user SET face_encodings = %s", [b"\x02no template"])
    ask(LOGIN, username="obama", password=PASSWORD)
    assert led_to(client.get("/members/")) == (CONFIRM, {"next": "/members/", "only": "face"})
    page = client.get(f"{CONFIRM}?next=/members/&only=face").text
    assert "ask the site’s staff" in page
    assert 'name="password"' not in page
    assert client.get("/face/enrol/").status_code == 302
