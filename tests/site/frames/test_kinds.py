"""Short and full challenges, and trusted devices."""

from __future__ import annotations

import pytest
from django.test import Client

from faceauth.models import FaceDevice, FaceEvent
from tests.site.conftest import JSON, PASSWORD, username_of
from tests.site.frames.conftest import LOGIN, copy_cookie
from tests.site.test_devices import Key, log_in_by_password
from tests.support.conversing import Visitor


def total(page: Visitor) -> int:
    page.until_step()
    return int(page.answer["step"]["total"])


@pytest.mark.parametrize(
    ("value", "trusted", "elsewhere"), [("auto", 1, 3), ("short", 1, 1), ("full", 3, 3)]
)
def test_kinds_of_challenges(
    client, visit, obama, monkeypatch, challenge, value, trusted, elsewhere
):
    monkeypatch.setattr("faceauth.liveness.steps.secrets.randbelow", lambda upper: upper - 1)
    challenge(value)
    log_in_by_password(client, "obama")
    assert total(visit()) == trusted
    assert total(visit(Client())) == elsewhere
    other = Client()
    obama.is_superuser = True  # who may verify others
    obama.save()
    other.force_login(obama)
    for purpose in ("confirm", "enrol", "verify"):
        assert total(visit(other, purpose=purpose)) == elsewhere


def test_sites_without_a_challenge(client, visit, obama, challenge, upload):
    challenge(None)
    page = visit()
    assert (page.send(), page.code) == (400, "challenge_expired")
    response = client.post(LOGIN, {"snapshot": upload("obama2")}, headers=JSON)
    assert response.status_code == 200


def test_short_challenge_of_a_trusted_device_is_enough_nowhere_else(
    client, visit, obama, challenge
):
    log_in_by_password(client, "obama")
    page = visit()
    page.follow()
    assert page.passed
    FaceDevice.objects.update(last_used_at="2001-01-01T00:00Z")
    response = page.log_in()
    assert response.json()["error"]["code"] == "challenge_expired"
    assert username_of(client) is None


def test_name_of_somebody_else_on_a_trusted_device_needs_a_full_one(client, visit, enrolled, obama):
    enrolled("biden", "biden", password=PASSWORD)
    log_in_by_password(client, "obama")
    assert total(visit(username="biden")) == 3
    page = visit(username="obama")
    page.follow()
    assert page.passed
    response = page.log_in(username="biden")
    assert response.json()["error"]["code"] == "challenge_expired"


def test_device_with_a_key_signs_for_its_short_challenge(client, visit, obama, challenge):
    challenge(UNKNOWN_DEVICES="code")
    key = Key()
    log_in_by_password(client, "obama", device_key=key.public)
    assert total(visit()) == 3  # without a signature
    nonce = client.get(LOGIN).context["device_nonce"]
    page = visit(**key.sign(nonce))
    page.send()
    fresh = page.answer["device_nonce"]
    assert fresh != nonce
    page.follow()
    assert page.passed
    assert page.answer.get("device_nonce") is None
    form = {"challenge": page.challenge, **key.sign(fresh)}
    response = client.post(LOGIN, form, headers=JSON)
    assert response.json()["user"] == {"username": "obama"}
    assert FaceEvent.objects.filter(kind="device_copied").count() == 0


def test_first_answer_that_is_lost_costs_no_full_challenge(client, visit, obama, challenge):
    challenge(UNKNOWN_DEVICES="code")
    key = Key()
    log_in_by_password(client, "obama", device_key=key.public)
    opening = key.sign(client.get(LOGIN).context["device_nonce"])
    thief = Client()
    copy_cookie(client, thief)
    thief.get(LOGIN)
    first = visit(**opening)
    first.send()
    # The answer was lost, and the session with it.
    client.cookies.pop("sessionid", None)
    again = visit(**opening)
    assert total(again) in (1, 2)
    assert again.challenge != first.challenge
    # Nobody else can use what was signed, nor can it log anybody in.
    assert total(visit(thief, **opening)) == 3
    again.follow()
    assert again.passed
    assert again.log_in().json()["error"]["code"] == "challenge_expired"


def test_asking_again_in_the_same_session_returns_the_same_short_challenge(client, visit, obama):
    key = Key()
    log_in_by_password(client, "obama", device_key=key.public)
    opening = key.sign(client.get(LOGIN).context["device_nonce"])
    first, again = visit(**opening), visit(**opening)
    first.send()
    again.send()
    assert again.challenge == first.challenge


def test_device_with_a_key_gets_a_new_nonce_with_an_error_as_well(client, visit, obama):
    key = Key()
    log_in_by_password(client, "obama", device_key=key.public)
    page = visit(**key.sign(client.get(LOGIN).context["device_nonce"]))
    assert page.send(b"no picture") == 415
    page.opening = key.sign(page.answer["error"]["device_nonce"])
    assert total(page) in (1, 2)


def test_copied_cookie_opens_no_short_challenge(client, visit, obama, monkeypatch):
    key = Key()
    log_in_by_password(client, "obama", device_key=key.public)
    thief = Client()
    copy_cookie(client, thief)
    nonce = thief.get(LOGIN).context["device_nonce"]
    assert total(visit(thief, **Key().sign(nonce))) == 3


def test_challenge_of_a_device_of_one_s_own_opens_no_other_device(client, visit, enrolled, obama):
    """Or what fails would count for the thief's own device, where the thief may fail for ever."""
    enrolled("biden", "biden", password=PASSWORD)
    log_in_by_password(client, "obama")
    thief = Client()
    log_in_by_password(thief, "biden")
    page = visit(thief)
    page.follow()
    assert page.passed
    copy_cookie(client, thief)
    assert page.log_in().json()["error"]["code"] == "challenge_expired"
    assert username_of(thief) is None


def test_challenge_in_the_name_of_nobody_opens_no_device(client, visit, obama):
    """Or what fails would count for names that the thief of a cookie makes up."""
    log_in_by_password(client, "obama")
    thief = Client()
    copy_cookie(client, thief)
    page = visit(thief, username="nobody")
    page.follow()
    assert page.passed
    assert page.log_in(username="").json()["error"]["code"] == "challenge_expired"
    assert username_of(thief) is None


def test_device_that_is_revoked_in_the_middle(client, visit, obama):
    log_in_by_password(client, "obama")
    page = visit()
    page.until_step()
    FaceDevice.objects.get().delete()
    assert (page.send(), page.code) == (400, "challenge_expired")
