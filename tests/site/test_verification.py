"""The staff asks whether a face is that of a user: yes or no, and not without end."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.utils import timezone

from accounts.models import User
from faceauth import checks
from faceauth.models import FaceEvent, FailureCount
from faceauth.recognition import policy
from tests.site.conftest import JSON, username_of
from tests.support.person import converse

VERIFY = "/face/verify/"


@pytest.fixture
def kiosk(db, client):
    """A client of the staff that may ask; `client` is logged in as it."""
    return log_in(client, "kiosk")


@pytest.fixture
def challenged(settings):
    settings.FACEAUTH = {**settings.FACEAUTH, "CHALLENGE": "auto"}


def log_in(client, name):
    user = User.objects.create_user(name, f"{name}@example.com", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="verify_face"))
    client.force_login(user)
    return user


def event():
    """What was kept of the one question."""
    return FaceEvent.objects.get()


@pytest.mark.real
def test_yes_and_no(ask, obama, kiosk, upload):
    assert ask(VERIFY, username="obama", snapshot=upload("obama2")) == (200, {"verified": True})
    assert (event().kind, event().outcome, event().user) == ("checked", "accepted", obama)
    assert ask(VERIFY, username="obama", snapshot=upload("biden")) == (200, {"verified": False})
    latest = FaceEvent.objects.first()
    assert (latest.kind, latest.outcome, latest.user) == ("checked", "too_far", obama)


def test_nobody_is_logged_in_by_it(ask, client, obama, kiosk, upload):
    ask(VERIFY, username="obama", snapshot=upload("obama2"))
    assert username_of(client) == "kiosk"
    obama.refresh_from_db()
    assert obama.face_last_used_at is None


def test_an_unknown_name_is_a_no_after_the_same_work(ask, kiosk, obama, upload, monkeypatch):
    compared = []
    decide = policy.verify

    def verify(match, frames):
        compared.append(match)
        return decide(match, frames)

    monkeypatch.setattr(policy, "verify", verify)
    for name in ("obama", "nobody", "kiosk"):
        assert ask(VERIFY, username=name, snapshot=upload("biden")) == (200, {"verified": False})
    assert len(compared) == 3
    assert FaceEvent.objects.filter(kind="checked").count() == 3


@pytest.mark.parametrize("change", [{"is_active": False}, {"face_disabled_at": timezone.now()}])
def test_whose_face_may_not_log_in_is_not_vouched_for(ask, kiosk, obama, upload, change):
    User.objects.filter(pk=obama.pk).update(**change)
    assert ask(VERIFY, username="obama", snapshot=upload("obama2")) == (200, {"verified": False})
    assert event().outcome in ("inactive", "disabled")


def test_only_for_the_staff_that_may(ask, client, obama, upload):
    sent = {"username": "obama", "snapshot": upload("obama2")}
    assert ask(VERIFY, **sent)[1]["error"]["code"] == "login_required"
    client.force_login(obama)
    assert ask(VERIFY, **sent)[0] == 403
    permission = Permission.objects.get(codename="verify_face")
    obama.user_permissions.add(permission)
    assert ask(VERIFY, **sent)[0] == 403
    obama.user_permissions.clear()
    User.objects.update(is_staff=True)
    status, answer = ask(VERIFY, **sent)
    assert (status, answer["error"]["code"]) == (403, "not_allowed")
    assert not FaceEvent.objects.exists()


def test_it_takes_the_token(kiosk, obama, upload):
    client = Client(enforce_csrf_checks=True)
    client.force_login(kiosk)
    data = {"username": "obama"}
    assert client.post(VERIFY, data, headers=JSON).status_code == 403
    token = client.get("/face/whoami/").json()["csrf_token"]
    headers = {**JSON, "X-CSRFToken": token}
    data["snapshot"] = upload("obama2")
    assert client.post(VERIFY, data, headers=headers).json() == {"verified": True}


@pytest.mark.parametrize(
    ("data", "code"),
    [({}, "missing_snapshot"), ({"username": "obama", "snapshot": b"x"}, "unsupported_type")],
)
def test_what_is_missing_or_wrong_is_said(ask, kiosk, upload, data, code):
    if "snapshot" in data:
        data = {**data, "snapshot": upload(data["snapshot"])}
    assert ask(VERIFY, **data)[1]["error"]["code"] == code


def test_no_username(ask, kiosk, upload):
    status, answer = ask(VERIFY, snapshot=upload("obama"))
    assert (status, list(answer["error"]["fields"])) == (400, ["username"])


class TestCounting:
    """For the client that asks, and nobody else."""

    @pytest.fixture(autouse=True)
    def few(self, settings):
        given = {"MAX_FAILURES": 2, "MAX_FAILURES_PER_ADDRESS": 4}
        settings.FACEAUTH = {**settings.FACEAUTH, **given}

    def test_guesses_at_one_account_have_to_wait(self, ask, kiosk, obama, upload):
        for _ in range(2):
            ask(VERIFY, username="obama", snapshot=upload("biden"))
        status, answer = ask(VERIFY, username="obama", snapshot=upload("obama2"))
        assert (status, answer["error"]["code"]) == (429, "too_many_attempts")
        assert ask(VERIFY, username="biden", snapshot=upload("biden"))[0] == 200

    def test_guesses_at_many_accounts_have_to_wait(self, ask, kiosk, obama, upload):
        for name in "abcd":
            assert ask(VERIFY, username=name, snapshot=upload("biden"))[0] == 200
        assert ask(VERIFY, username="obama", snapshot=upload("obama2"))[0] == 429

    def test_a_yes_begins_anew(self, ask, kiosk, obama, upload):
        for photo in ("biden", "obama2") * 3:
            assert ask(VERIFY, username="obama", snapshot=upload(photo))[0] == 200

    def test_one_client_s_guesses_keep_nobody_else(self, ask, client, kiosk, obama, upload):
        for _ in range(2):
            ask(VERIFY, username="obama", snapshot=upload("biden"))
        log_in(client, "door")
        assert ask(VERIFY, username="obama", snapshot=upload("obama2"))[1] == {"verified": True}
        client.logout()
        status, _ = ask("/face/login/", username="obama", snapshot=upload("obama2"))
        assert status == 200

    def test_a_yes_does_not_forget_the_failures_to_log_in(self, ask, kiosk, obama, upload):
        Client().post("/face/login/", {"username": "obama", "snapshot": upload("biden")})
        before = FailureCount.objects.get(key__startswith="account:").failures
        assert ask(VERIFY, username="obama", snapshot=upload("obama2"))[1] == {"verified": True}
        assert FailureCount.objects.get(key__startswith="account:").failures == before == 1


class TestChallenge:
    """Where logins take one, so do questions."""

    @pytest.mark.parametrize("who", ["obama", "biden"])
    def test_head_that_moves(self, client, ask, kiosk, obama, challenged, who):
        passed = converse(client, "verify", who)
        assert ask(VERIFY, username="obama", challenge=passed) == (
            200,
            {"verified": who == "obama"},
        )
        assert event().outcome == ("accepted" if who == "obama" else "too_far")

    def test_passed_challenge_is_used_once(self, client, ask, kiosk, obama, challenged):
        passed = converse(client, "verify")
        ask(VERIFY, username="obama", challenge=passed)
        status, answer = ask(VERIFY, username="obama", challenge=passed)
        assert (status, answer["error"]["code"]) == (400, "challenge_expired")

    def test_challenge_of_a_login(self, client, ask, kiosk, obama, challenged):
        status, answer = ask(VERIFY, username="obama", challenge=converse(client, "login"))
        assert (status, answer["error"]["code"]) == (400, "challenge_expired")

    def test_photo_alone(self, ask, kiosk, obama, challenged, upload):
        status, answer = ask(VERIFY, username="obama", snapshot=upload("obama2"))
        assert (status, answer["error"]["code"]) == (400, "challenge_failed")

    def test_photo_where_the_owner_believes_them(
        self, client, ask, settings, kiosk, obama, challenged, upload
    ):
        settings.FACEAUTH = {**settings.FACEAUTH, "VERIFY_PHOTOS": True}
        assert ask(VERIFY, username="obama", snapshot=upload("obama2"))[1] == {"verified": True}
        # Whoever sends a challenge is held to it.
        status, answer = ask(VERIFY, username="obama", challenge="x", snapshot=upload("obama2"))
        assert answer["error"]["code"] == "challenge_expired"
        client.logout()
        status, _ = ask("/face/login/", username="obama", snapshot=upload("obama2"))
        assert status == 400


def test_believing_photos_is_warned_of(settings):
    settings.FACEAUTH = {"VERIFY_PHOTOS": True}
    assert [each.id for each in checks.check_challenge(None)] == ["faceauth.W020"]
    settings.FACEAUTH = {"VERIFY_PHOTOS": False}
    assert checks.check_challenge(None) == []
