"""A challenge as a page or another client sees it."""

from __future__ import annotations

import json

import pytest
from django.contrib.auth import authenticate
from django.contrib.sessions.models import Session
from django.test import Client

from faceauth.errors import ChallengeExpired, FaceError
from faceauth.liveness.prompts import STEPS
from faceauth.models import FaceChallenge
from tests.site.conftest import JSON, log_out, username_of
from tests.site.frames.conftest import LOGIN, jpeg, outcomes
from tests.support.conversing import Visitor
from tests.support.webcam import empty_room


@pytest.mark.real
@pytest.mark.parametrize("username", ["", "obama"])
def test_head_that_follows_the_steps_logs_in(client, obama, visit, username):
    page = visit(username=username)
    assert page.send() == 200
    assert (page.number, page.answer["state"], page.answer["step"]) == (1, "look", None)
    page.until_step()
    assert page.answer["step"]["total"] == 3
    assert page.message == STEPS[page.step]
    assert page.follow() == 200
    assert page.passed
    response = page.log_in()
    assert (response.status_code, response.json()["user"]["username"]) == (200, "obama")
    assert username_of(client) == "obama"
    assert outcomes() == ["accepted"]


def test_answer_says_where_the_face_is_and_what_to_do(visit, drawn):
    drawn("left")
    page = visit()
    page.send(jpeg(empty_room()))
    assert (page.answer["code"], page.answer["faces"], page.answer["face"]) == ("no_face", 0, None)
    assert page.message == "We can’t see a face. Move into the oval."
    page.until_step()
    left, top, right, bottom = page.answer["face"]["box"]
    assert left < 0.5 < right
    assert top < 0.5 < bottom
    assert abs(page.answer["face"]["yaw"]) < 20
    assert page.answer["step"] == {"name": "left", "done": 0, "total": 1, "share": 0.0}
    assert (page.answer["code"], page.message) == ("step", "Turn your head to your left.")
    shares = []
    while not page.passed:
        page.wait()
        assert page.send() == 200
        shares.append(page.answer["step"] and page.answer["step"]["share"])
    assert shares[-1] is None
    assert max(shares[:-1]) > 0.4
    assert page.message == "Thank you. One moment…"


def test_somebody_else_is_not_recognised(visit, obama):
    page = visit(person="biden", username="obama")
    page.follow()
    assert page.passed
    response = page.log_in()
    assert (response.status_code, response.json()["error"]["code"]) == (401, "not_recognised")


def test_three_frames_in_one_request(visit, drawn, obama):
    drawn("up")
    page = visit()
    page.until_step()
    while not page.passed:
        frames = []
        for _ in range(3):
            page.wait()
            frames.append(page.jpeg())
        assert page.send(*frames) == 200
    assert page.log_in().status_code == 200


def test_json_works_as_forms_do(client, clock, obama, drawn):
    drawn("right")
    page = Visitor(client, clock, as_json=True)
    page.follow()
    assert page.passed
    body = json.dumps({"challenge": page.challenge})
    assert client.post(LOGIN, body, content_type="application/json").status_code == 200


@pytest.mark.postgres
def test_passed_challenge_is_used_once(client, visit, obama, drawn):
    drawn("left")
    page = visit()
    page.follow()
    assert page.log_in().status_code == 200
    log_out(client)
    assert page.log_in().json()["error"]["code"] == "challenge_expired"
    assert username_of(client) is None
    assert not FaceChallenge.objects.exists()


def test_challenge_that_is_not_passed_opens_nothing(client, visit, obama):
    page = visit()
    page.until_step()
    assert page.log_in().json()["error"]["code"] == "challenge_expired"
    assert username_of(client) is None
    # It goes on.
    page.follow()
    assert page.passed


@pytest.mark.postgres
def test_challenge_of_another_session(client, visit, obama, drawn):
    drawn("left")
    page = visit()
    page.until_step()
    thief = visit(Client())
    thief.challenge, thief.number = page.challenge, page.number
    assert (thief.send(), thief.code) == (400, "challenge_expired")
    thief.challenge = ""
    thief.send()  # with a challenge of its own
    thief.challenge = page.challenge
    assert (thief.send(), thief.code) == (400, "challenge_expired")
    page.follow()
    assert thief.log_in().json()["error"]["code"] == "challenge_expired"
    assert page.log_in().status_code == 200


@pytest.mark.parametrize("purpose", ["confirm", "enrol", "verify"])
def test_challenge_for_something_else_logs_nobody_in(client, visit, obama, drawn, purpose):
    drawn("left")
    if purpose != "enrol":
        obama.is_superuser = True  # who may verify others
        obama.save()
        client.force_login(obama)
    page = visit(purpose=purpose)
    page.follow()
    assert page.passed
    response = client.post(LOGIN, {"challenge": page.challenge}, headers=JSON)
    assert response.json()["error"]["code"] == "challenge_expired"


def test_purpose_that_there_is_none_of(visit):
    page = visit(purpose="vote")
    assert (page.send(), page.code) == (400, "invalid")
    assert not FaceChallenge.objects.exists()


@pytest.mark.parametrize("purpose", ["confirm", "second_step", "verify"])
def test_who_is_not_logged_in_has_nothing_to_confirm(visit, purpose):
    page = visit(purpose=purpose)
    assert (page.send(), page.code) == (401, "login_required")


def test_only_who_may_verify_others_is_asked_to_move_for_it(client, visit, obama):
    client.force_login(obama)
    page = visit(purpose="verify")
    assert (page.send(), page.code) == (403, "not_allowed")


def test_who_is_logged_in_has_no_second_step_to_do(client, visit, obama):
    client.force_login(obama)
    page = visit(purpose="second_step")
    assert (page.send(), page.code) == (401, "login_required")


@pytest.mark.parametrize("token", ["x", "a:b:c", "\x00", "x" * 5000, "é:è:ê"])
def test_challenge_that_there_is_none_of(client, visit, obama, token):
    page = visit()
    page.challenge = token
    assert (page.send(), page.code) == (400, "challenge_expired")
    response = client.post(LOGIN, {"challenge": token}, headers=JSON)
    assert response.status_code == 400
    assert username_of(client) is None


@pytest.mark.parametrize("username", ["x" * 255, "x" * 70_000, "x\x00"])
def test_username_that_nobody_has(visit, username):
    page = visit(username=username)
    assert (page.send(), page.code) == (400, "invalid")


def test_login_without_a_challenge(client, obama, upload):
    response = client.post(LOGIN, {"snapshot": upload("obama")}, headers=JSON)
    assert response.json()["error"]["code"] == "challenge_failed"
    assert "camera" in response.json()["error"]["message"]
    assert username_of(client) is None


@pytest.mark.postgres
def test_steps_are_told_one_by_one_and_kept_where_nobody_reads_them(client, visit, drawn):
    secret = ["left_up", "right_down", "closer"]
    drawn(*secret)
    page = visit()
    told = []
    while not page.passed:
        assert page.send() == 200
        told.append(json.dumps(page.answer))
        row = bytes(FaceChallenge.objects.get().state)
        session = json.dumps(dict(client.session))
        for later in secret[page.done + 1 :] if page.step else secret:
            assert later not in told[-1]
        for name in secret:
            assert name.encode() not in row
            assert name not in session
            for each in Session.objects.all():
                assert name not in json.dumps(each.get_decoded())
        page.wait()
    assert [name for name in secret if any(name in each for each in told)] == secret


def test_what_is_kept_is_small_encrypted_and_no_picture(visit):
    page = visit()
    page.until_step()
    for _ in range(8):
        page.send(page.jpeg(""))
    row = FaceChallenge.objects.get()
    # Of ten frames. One of them has 900,000 bytes of pixels, and 40,000 as a JPEG.
    assert len(row.state) < 8000
    assert b"closer" not in bytes(row.state)
    assert b"full" not in bytes(row.state)
    # What was changed in the database is worth nothing.
    state = bytes(row.state)
    FaceChallenge.objects.update(state=state[:-1] + bytes([state[-1] ^ 1]))
    assert (page.send(), page.code) == (400, "challenge_expired")


def test_state_of_one_challenge_is_no_other_s(visit):
    one, other = visit(), visit(Client())
    one.until_step()
    other.until_step()
    mine, theirs = FaceChallenge.objects.order_by("forget_at")
    FaceChallenge.objects.filter(pk=mine.pk).update(state=bytes(theirs.state))
    assert (one.send(), one.code) == (400, "challenge_expired")


def test_looking_at_a_page_writes_nothing(client, db):
    client.get(LOGIN)
    assert not FaceChallenge.objects.exists()
    assert not Session.objects.exists()


def test_asking_again_returns_the_same_challenge_and_the_same_step(visit):
    page = visit()
    step = page.until_step()
    for _ in range(3):
        again = visit()
        assert again.send(page.jpeg("")) == 200
        assert (again.challenge, again.step) == (page.challenge, step)
    assert FaceChallenge.objects.count() == 1


def test_backend_lets_nobody_in_without_the_challenge(obama, faces, rf, client):
    for options in ({"snapshot": [faces["obama2"]]}, {"challenge": "x"}, {"challenge": ""}):
        with pytest.raises(FaceError):
            authenticate(None, username="obama", **options)
    request = rf.post(LOGIN)
    request.session = client.session
    with pytest.raises(ChallengeExpired):
        authenticate(request, username="obama", challenge="x")
