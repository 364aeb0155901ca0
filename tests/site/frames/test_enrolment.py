"""Enrolment and sign-up, which need a full challenge."""

from __future__ import annotations

import pytest

from accounts.models import User
from tests.support.conversing import Visitor, files
from tests.support.people import OBAMA, picture
from tests.support.webcam import snapshot

ENROL, SIGN_UP = "/face/enrol/", "/signup/"


@pytest.fixture
def enrol(client):
    """Send the form with five pictures of Obama: status and code."""

    def send(page, path=ENROL, **data):
        data = {"consent": "on", "challenge": page.challenge if page else "", **data}
        data.setdefault("snapshot", files([picture(name) for name in OBAMA]))
        response = client.post(path, data, headers={"Accept": "application/json"})
        return response.status_code, response.json().get("error", {}).get("code", "")

    return send


@pytest.fixture
def passed(visit):
    """Pass a challenge, for an enrolment by default, and return the page."""

    def make(person="obama", purpose="enrol") -> Visitor:
        page = visit(person=person, purpose=purpose)
        page.follow()
        assert page.passed
        return page

    return make


@pytest.fixture
def ada(client, db):
    user = User.objects.create_user("ada", "ada@example.com", "password")
    client.force_login(user)
    return user


def test_enrolment_needs_a_challenge(ada, enrol, passed):
    assert enrol(None) == (400, "challenge_failed")
    assert enrol(passed(purpose="login")) == (400, "challenge_expired")
    ada.refresh_from_db()
    assert not ada.has_face
    assert enrol(passed()) == (200, "")
    ada.refresh_from_db()
    assert ada.face_shots == 5


def test_pictures_are_of_who_answered_the_challenge(ada, enrol, passed):
    assert enrol(passed("biden")) == (400, "not_same_person")
    ada.refresh_from_db()
    assert not ada.has_face


def test_ten_minutes_are_enough_to_take_pictures_again(ada, enrol, passed, clock):
    page = passed()
    clock.shift(9 * 60)
    blurred = files([snapshot("obama")[:900], *[picture(name) for name in OBAMA[1:]]])
    assert enrol(page, snapshot=blurred) == (400, "bad_image")
    # The challenge was not used up.
    assert enrol(page) == (200, "")


def test_pictures_are_not_looked_at_before_a_challenge_is_passed(client, db, enrol, monkeypatch):
    """Larger ones than frames are for those who have shown that they are there."""
    account = {"username": "ada", "email": "ada@example.com"}
    monkeypatch.setattr("faceauth.capture.samples.analyse", pytest.fail)
    assert enrol(None, SIGN_UP, **account) == (400, "challenge_failed")
    assert enrol(None, SIGN_UP, **account, challenge="x" * 22) == (400, "challenge_expired")


def test_challenge_of_an_hour_ago_is_none(ada, enrol, passed, clock):
    page = passed()
    clock.shift(11 * 60)
    assert enrol(page) == (400, "challenge_expired")


def test_sign_up_asks_for_it_only_where_a_face_is_enrolled(client, db, enrol, passed):
    account = {"username": "ada", "email": "ada@example.com"}
    assert enrol(None, SIGN_UP, **account) == (400, "challenge_failed")
    assert not User.objects.exists()
    assert enrol(passed(), SIGN_UP, **account) == (200, "")
    client.logout()
    other = {"username": "bob", "email": "bob@example.com", "password": "a lovely engine"}
    assert client.post(SIGN_UP, other).status_code == 302


def test_enrolment_without_it_where_the_owner_says_so(ada, enrol, challenge):
    challenge("auto", CHALLENGE_AT_ENROLMENT=False)
    assert enrol(None) == (200, "")
