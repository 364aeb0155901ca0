from __future__ import annotations

from collections import Counter

import pytest
from django.contrib.auth import authenticate
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from time_machine import travel

from accounts.models import User
from faceauth.errors import ChallengeFailed
from faceauth.liveness import challenge
from faceauth.models import FaceEvent, FailureCount, UsedItem
from tests.site.conftest import JSON, username_of
from tests.support.heads import still, turning
from tests.support.people import OBAMA

LOGIN, CHALLENGE, ENROL, SIGNUP = (
    "/face/login/",
    "/face/challenge/",
    "/face/enrol/",
    "/signup/",
)


@pytest.fixture(autouse=True)
def challenged(settings):
    settings.FACEAUTH = {**settings.FACEAUTH, "CHALLENGE": "turns"}


def asked(client):
    """Return the token and the turns of a challenge."""
    answer = client.post(CHALLENGE, headers=JSON).json()
    return answer["challenge"], answer["turns"]


def files(pictures):
    return [SimpleUploadedFile("frame.jpg", data, "image/jpeg") for data in pictures]


def send(client, pictures, token, **data):
    data |= {"snapshot": files(pictures), "challenge": token}
    response = client.post(LOGIN, data, headers=JSON)
    return response.status_code, response.json()


def refusal(client, pictures, token, **data):
    status, answer = send(client, pictures, token, **data)
    return status, answer["error"]["code"]


def log_in(client, name="obama", seed=0, **data):
    token, turns = asked(client)
    return send(client, turning(name, *turns, seed=seed), token, **data)


def test_what_the_page_is_told(client, db):
    answer = client.post(CHALLENGE, headers=JSON).json()
    assert sorted(answer["turns"]) == ["left", "right"]
    assert (answer["seconds"], answer["frames"]) == (60, 12)


def test_both_orders_come_up_and_more_turns_go_to_both_sides(settings):
    assert {tuple(challenge.draw_turns(2)) for _ in range(60)} == {
        ("left", "right"),
        ("right", "left"),
    }
    assert {tuple(challenge.draw_turns(1)) for _ in range(60)} == {("left",), ("right",)}
    assert all(set(challenge.draw_turns(4)) == {"left", "right"} for _ in range(60))


@pytest.mark.real
@pytest.mark.parametrize("data", [{}, {"username": "obama"}])
def test_a_head_that_turns_as_asked_logs_in(client, obama, data):
    assert log_in(client, **data)[0] == 200
    assert username_of(client) == "obama"
    assert FaceEvent.objects.get().outcome == "accepted"


def test_somebody_else_who_turns_is_not_recognised(client, obama):
    status, answer = log_in(client, "biden", username="obama")
    assert (status, answer["error"]["code"]) == (401, "not_recognised")


@pytest.mark.real
def test_photo_that_is_moved_about(client, obama):
    token, _ = asked(client)
    assert refusal(client, still("obama"), token) == (400, "challenge_failed")
    assert username_of(client) is None
    event = FaceEvent.objects.get()
    assert (event.kind, event.outcome) == ("refused", "not_live:not_turned")
    assert event.distance is None


def test_one_photo_and_no_challenge(client, obama, upload):
    response = client.post(LOGIN, {"snapshot": upload("obama")}, headers=JSON)
    assert response.json()["error"]["code"] == "challenge_failed"
    assert "camera" in response.json()["error"]["message"]
    assert username_of(client) is None


def test_the_other_way_round(client, obama):
    token, turns = asked(client)
    assert refusal(client, turning("obama", *reversed(turns)), token)[1] == "challenge_failed"


def test_frames_in_another_order(client, obama):
    token, turns = asked(client)
    pictures = turning("obama", *turns)
    pictures[2], pictures[6] = pictures[6], pictures[2]
    assert refusal(client, pictures, token)[1] == "challenge_failed"


def test_frames_of_two_people(client, obama):
    token, turns = asked(client)
    pictures, others = turning("obama", *turns), turning("biden", *turns, seed=1)
    pictures[1:5] = others[1:5]
    assert refusal(client, pictures, token)[1] == "challenge_failed"


def test_copies_of_a_frame(client, obama):
    token, turns = asked(client)
    pictures = turning("obama", *turns)
    assert refusal(client, [*pictures, pictures[-1]], token)[1] == "challenge_failed"


@pytest.mark.postgres
def test_an_answer_is_good_once(client, obama):
    token, turns = asked(client)
    pictures = turning("obama", *turns)
    assert send(client, pictures, token)[0] == 200
    client.logout()
    assert refusal(client, pictures, token)[1] == "challenge_expired"


def test_frames_that_came_before_answer_no_other_challenge(client, obama):
    token, turns = asked(client)
    pictures = turning("obama", *turns)
    assert send(client, pictures, token)[0] == 200
    other = Client()
    while True:
        token, again = asked(other)
        if again == turns:
            break
    assert refusal(other, pictures, token)[1] == "challenge_failed"


def spent():
    return Counter(key.partition(":")[0] for key in UsedItem.objects.values_list("key", flat=True))


@pytest.mark.postgres
def test_frames_are_known_for_a_day_and_then_forgotten(client, obama):
    with travel("2026-01-01 12:00"):
        log_in(client)
        assert spent() == {"challenge": 1, "frame": 9}
    with travel("2026-01-02 11:00"):
        log_in(client, seed=1)
        assert UsedItem.objects.filter(key__startswith="frame:").count() == 9 + 9
    with travel("2026-01-03 12:00"):
        log_in(client)
        assert spent() == {"challenge": 1, "frame": 9}


@pytest.mark.postgres
def test_challenge_of_another_session(client, obama):
    token, turns = asked(client)
    thief = Client()
    asked(thief)
    assert refusal(thief, turning("obama", *turns), token)[1] == "challenge_expired"
    # The challenge was not spent.
    assert send(client, turning("obama", *turns), token)[0] == 200


def test_challenge_is_answered_in_time(client, obama):
    with travel("2026-01-01 12:00:00"):
        token, turns = asked(client)
    with travel("2026-01-01 12:01:02"):
        assert refusal(client, turning("obama", *turns), token)[1] == "challenge_expired"


@pytest.mark.parametrize("token", ["", "x", "a:b:c", "\x00", "x" * 5000, "é:è:ê"])
def test_no_challenge_at_all(client, obama, token):
    pictures = turning("obama", "left", "right")
    assert refusal(client, pictures, token)[0] == 400
    assert username_of(client) is None


def test_pictures_are_not_looked_at_for_a_challenge_that_is_none(client, obama, monkeypatch):
    monkeypatch.setattr("faceauth.capture.samples.analyse_picture", pytest.fail)
    assert refusal(client, turning("obama", "left", "right"), "x")[1] == "challenge_failed"


def test_too_many_frames(client, obama):
    token, turns = asked(client)
    assert refusal(client, turning("obama", *turns, *turns), token) == (413, "too_large")


def test_failed_challenges_count_as_failures(client, obama):
    for _ in range(5):
        token, _ = asked(client)
        assert refusal(client, still("obama", 6), token, username="obama")[0] == 400
        UsedItem.objects.filter(key__startswith="frame:").delete()
    token, turns = asked(client)
    assert refusal(client, turning("obama", *turns), token, username="obama")[0] == 429
    assert FailureCount.objects.filter(failures=5).exists()
    assert {event.user for event in FaceEvent.objects.all()} == {obama}


def test_what_goes_wrong_with_a_picture_is_said(client, obama, upload):
    token, turns = asked(client)
    pictures = turning("obama", *turns)
    assert refusal(client, [b"no picture", *pictures[1:]], token)[1] == "unsupported_type"
    token, turns = asked(client)
    assert refusal(client, [*pictures[:5], b"no picture"], token)[1] == "unsupported_type"


def test_backend_lets_nobody_in_without_the_challenge(obama, faces):
    with pytest.raises(ChallengeFailed):
        authenticate(None, snapshot=[faces["obama2"]], username="obama")
    with pytest.raises(ChallengeFailed):
        authenticate(None, snapshot=turning("obama"), turns=[], username="obama")


def test_asking_for_challenges_is_limited(client, db, settings):
    settings.FACEAUTH = {**settings.FACEAUTH, "CHALLENGES_PER_MINUTE": 2}
    codes = [client.post(CHALLENGE, headers=JSON).status_code for _ in range(3)]
    assert codes == [200, 200, 429]


def enrol(client, path=ENROL, who="obama", **data):
    token, turns = asked(client)
    data = {"consent": "on", "challenge": token, **data}
    data.setdefault("snapshot", files(picture_files()))
    data.setdefault("frame", files(turning(who, *turns)))
    response = client.post(path, data, headers=JSON)
    return response.status_code, response.json()


def picture_files():
    from tests.support.people import picture

    return [picture(name) for name in OBAMA]


def test_enrolment_asks_for_it_as_well(client, django_user_model):
    user = django_user_model.objects.create_user("ada", "ada@example.com", "password")
    client.force_login(user)
    assert enrol(client, frame=[])[1]["error"]["code"] == "challenge_failed"
    assert enrol(client, challenge="")[1]["error"]["code"] == "challenge_failed"
    assert enrol(client, frame=files(still("obama")))[1]["error"]["code"] == "challenge_failed"
    assert enrol(client, who="biden")[1]["error"]["code"] == "not_same_person"
    user.refresh_from_db()
    assert not user.has_face
    assert enrol(client)[0] == 200
    user.refresh_from_db()
    assert user.face_shots == 5


def test_sign_up_asks_for_it_only_where_a_face_is_enrolled(client, db):
    account = {"username": "ada", "email": "ada@example.com"}
    assert enrol(client, SIGNUP, frame=[], **account)[0] == 400
    assert not User.objects.exists()
    assert enrol(client, SIGNUP, **account)[0] == 200
    client.logout()
    other = {"username": "bob", "email": "bob@example.com", "password": "a lovely engine"}
    assert client.post(SIGNUP, other, headers=JSON).status_code == 200


def test_enrolment_without_it_where_the_owner_says_so(client, settings, django_user_model):
    settings.FACEAUTH = {**settings.FACEAUTH, "CHALLENGE_AT_ENROLMENT": False}
    client.force_login(django_user_model.objects.create_user("ada", "ada@example.com", "password"))
    assert enrol(client, frame=[], challenge="")[0] == 200
