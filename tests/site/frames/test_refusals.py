"""Movements that were not asked for, what they cost, and who is told before they move."""

from __future__ import annotations

from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from faceauth.liveness import steps
from faceauth.models import FaceChallenge, FaceEvent, FailureCount
from faceauth.step_up import second_step
from tests.site.frames.conftest import copy_cookie, jpeg, outcomes
from tests.site.test_devices import log_in_by_password
from tests.support.person import Person
from tests.support.webcam import empty_room


def test_wrong_movement(visit, drawn, obama):
    drawn("left")
    page = visit(username="obama")
    page.until_step()
    assert page.follow("up") == 400
    assert page.code == "challenge_failed"
    assert page.message == "That was another movement. Follow the arrow with your whole head."
    event = FaceEvent.objects.get()
    assert (event.kind, event.outcome, event.user) == ("refused", "not_live:other_way", obama)
    assert event.distance is None
    assert FailureCount.objects.filter(key__startswith="address:", failures=1).exists()
    assert FailureCount.objects.filter(key__startswith="account:", failures=1).exists()
    assert (page.send(), page.code) == (400, "challenge_expired")
    page.restart()
    page.follow()
    assert page.passed


def test_head_that_is_still_turned_after_a_wrong_movement(visit, drawn, obama):
    drawn("left", "up")
    page = visit()
    page.person.turn = 15.0
    page.until_step()
    assert page.follow("right") == 400
    page.restart()
    for _frame in range(5):
        page.wait()
        assert page.send(page.jpeg("right")) == 200
        assert page.answer["state"] == "look"
    page.follow()
    assert page.passed


def test_mirrored_camera(visit, drawn, obama):
    drawn("left_up")
    page = visit()
    page.until_step()
    assert page.follow("right_up") == 400
    assert "mirrors its picture" in page.message
    assert outcomes() == ["not_live:mirrored"]
    assert FaceEvent.objects.get().user is None


def test_another_person_in_the_middle(visit, drawn, obama):
    drawn("left")
    page = visit()
    page.until_step()
    page.wait(1.0)
    page.person = Person("biden")
    page.follow()
    assert page.code == "challenge_failed"
    assert outcomes()[0].startswith("not_live:")
    assert not page.passed


def test_film_of_another_person_that_takes_over(visit, monkeypatch, obama):
    """Held as the person was, so that only the faces differ."""
    monkeypatch.setattr(steps, "judge", lambda *args: steps.Progress(steps.Verdict.DONE, 1.0))
    page = visit()
    page.until_step()
    page.wait(1.0)
    other = Person("biden")
    assert page.send(other.jpeg_for("", 0)) == 400
    assert page.message.startswith("We saw another face in between.")
    assert outcomes() == ["not_live:another"]


def give_up(visit, clock, how_many: int, browser: Client | None = None, **opening: Any) -> None:
    for _ in range(how_many):
        visit(browser or Client(), **opening).until_step()
        clock.shift(21)


@pytest.mark.postgres
def test_three_that_were_given_up_count_as_a_failure_of_the_address(visit, clock):
    give_up(visit, clock, 3)
    assert not FailureCount.objects.exists()
    assert visit(Client()).send() == 200
    assert FailureCount.objects.get(key__startswith="address:").failures == 1
    assert visit(Client()).send() == 200
    assert FailureCount.objects.get(key__startswith="address:").failures == 1


@pytest.mark.postgres
def test_all_that_were_given_up_count_at_once(visit, clock):
    pages = [visit(Client()) for _ in range(7)]
    for page in pages:
        page.until_step()
    clock.shift(21)
    visit(Client()).send()
    assert FailureCount.objects.get(key__startswith="address:").failures == 2


def test_challenges_whose_steps_nobody_saw_are_not_given_up(visit, clock):
    for _ in range(5):
        visit(Client()).send(jpeg(empty_room()))
        clock.shift(121)
    assert not FailureCount.objects.exists()


@pytest.mark.postgres
def test_three_that_were_given_up_on_a_device_count_there_alone(client, visit, clock, obama):
    log_in_by_password(client, "obama")
    give_up(visit, clock, 3, client)
    visit().send()
    row = FailureCount.objects.get()
    assert (row.key.partition(":")[0], row.failures) == ("device", 1)


@pytest.mark.postgres
def test_a_device_shows_one_step_at_a_time(client, visit, obama):
    """However many sessions its cookie begins: nobody can choose one that they have a film of."""
    log_in_by_password(client, "obama")
    pages = [visit(Client()) for _ in range(4)]
    for page in pages:
        copy_cookie(client, page.client)
        page.until_step()
    for page in pages[:-1]:
        assert (page.send(), page.code) == (400, "challenge_expired")
    assert FailureCount.objects.get(key__startswith="device:").failures == 1
    pages[-1].follow()
    assert pages[-1].passed


@pytest.mark.parametrize("purpose", ["login", "confirm"])
def test_locked_people_are_told_before_they_move(client, visit, obama, challenge, drawn, purpose):
    challenge(MAX_FAILURES=2)
    drawn("left")
    if purpose == "confirm":
        client.force_login(obama)
    page = visit(username="obama", purpose=purpose)
    for _ in range(2):
        page.restart()
        page.until_step()
        page.follow("up")
        assert page.code == "challenge_failed"
    page.restart()
    assert (page.send(), page.code) == (429, "too_many_attempts")
    assert 0 < int(page.answer["retry_after"]) <= 30
    assert not FaceChallenge.objects.exists()


def test_nobody_practises_without_limit_as_if_to_sign_up(visit, challenge, drawn):
    challenge(MAX_FAILURES_PER_ADDRESS=2)
    drawn("left")
    for _ in range(2):
        page = visit(Client(), purpose="enrol")  # another session is no other visitor
        page.until_step()
        page.follow("up")
        assert page.code == "challenge_failed"
    page = visit(Client(), purpose="enrol")
    assert (page.send(), page.code) == (429, "too_many_attempts")
    assert int(page.answer["retry_after"]) > 0


def test_people_who_fail_while_they_enrol_make_nobody_else_wait(
    client, visit, obama, enrolled, challenge, drawn
):
    challenge(MAX_FAILURES_PER_ADDRESS=2, UNKNOWN_DEVICES="allow")
    drawn("left")
    client.force_login(obama)
    for _ in range(2):
        page = visit(purpose="enrol")
        page.until_step()
        page.follow("up")
    page.restart()
    assert (page.send(), page.code) == (429, "too_many_attempts")
    other = Client()
    other.force_login(enrolled("biden", "biden"))
    assert visit(other, purpose="enrol").send() == 200
    assert visit(Client()).send() == 200


def test_failures_of_the_second_step_count_for_whose_it_is(
    client, rf, visit, obama, enrolled, challenge, drawn
):
    """Whatever password was entered beside a session, the account of the page is the one."""
    challenge(MAX_FAILURES=1)
    drawn("left")
    biden = enrolled("biden", "biden")
    client.force_login(obama)
    session = client.session
    request = rf.get("/")
    request.session = session
    second_step.begin(request, biden)
    session.save()
    client.cookies[settings.SESSION_COOKIE_NAME] = session.session_key
    for purpose, whose in (("confirm", obama), ("second_step", biden)):
        page = visit(purpose=purpose)
        page.until_step()  # neither waits for the other
        page.follow("up")
        assert FaceEvent.objects.filter(outcome="not_live:other_way").latest("pk").user == whose
        page.restart()
        assert (page.send(), page.code) == (429, "too_many_attempts")


def test_opening_challenges_is_limited(visit, challenge):
    challenge(CHALLENGES_PER_MINUTE=2)
    assert [visit(Client()).send() for _ in range(3)] == [200, 200, 429]


@pytest.mark.parametrize(
    ("options", "opening", "code"),
    [
        ({"UNKNOWN_DEVICES": "refuse"}, {"username": "obama"}, "unknown_device"),
        ({"FACE_ALONE": False}, {}, "username_needed"),
    ],
)
def test_whom_no_face_can_help_here_is_told_before_they_move(
    visit, obama, challenge, options, opening, code
):
    challenge(**options)
    page = visit(**opening)
    page.send()
    assert page.code == code
    assert not FaceChallenge.objects.exists()
