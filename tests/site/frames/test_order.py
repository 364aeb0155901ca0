"""Requests that come late, twice, together or not at all."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from faceauth.capture import samples
from faceauth.encryption import crypto
from faceauth.liveness import looking
from faceauth.models import FaceChallenge, FailureCount
from tests.site.frames.conftest import jpeg, outcomes
from tests.support.conversing import Visitor
from tests.support.crowds import crowd
from tests.support.person import Person
from tests.support.webcam import empty_room


@pytest.mark.postgres
@pytest.mark.parametrize("number", ["", "x", "nan", "-1", "0", "1", "2", "9", "1e999"])
def test_frames_out_of_order(visit, drawn, number):
    drawn("left")
    page = visit()
    page.send()
    page.wait()
    page.send()
    assert page.send(number=number) == 409
    error = page.answer["error"]
    assert (error["code"], error["number"]) == ("frames_out_of_order", 2)
    assert error["message"]
    # The page goes on from there, and nothing is lost.
    page.follow()
    assert page.passed


def test_frames_that_come_twice(visit, drawn, obama):
    drawn("left")
    page = visit()
    while not page.passed:
        frame = page.jpeg()
        assert page.send(frame) == 200
        page.wait()
        if not page.passed:
            assert page.send(frame, number=page.number) == 409
            assert page.answer["error"]["number"] == page.number
    assert page.log_in().status_code == 200


def turned_right() -> bytes:
    return Person("obama").jpeg_for("right", 2.0)


def overtaken(monkeypatch, other: Visitor, frame: bytes) -> None:
    """Let another request with the same number come and be answered while the next is looked at."""
    look = looking.look

    def slow(*args: Any) -> Any:
        monkeypatch.setattr(looking, "look", look)
        found = look(*args)
        assert other.send(frame) == 200, other.answer
        return found

    monkeypatch.setattr(looking, "look", slow)


def same_page(page: Visitor) -> Visitor:
    other = Visitor(page.client, page.clock, page.person, **page.opening)
    other.challenge, other.number, other.step = page.challenge, page.number, page.step
    other.done, other.since = page.done, page.since
    other.sent = page.sent
    return other


@pytest.mark.postgres
@pytest.mark.parametrize("loser", ["the same", "another movement"])
def test_of_two_at_once_the_first_is_heard(visit, drawn, monkeypatch, loser):
    drawn("left", "right", "closer")
    page = visit()
    page.until_step()
    page.follow(count=3)
    page.wait()
    other = same_page(page)
    wrong = turned_right() if loser != "the same" else page.jpeg()
    overtaken(monkeypatch, other, page.jpeg())
    page.wait(0.5)
    assert page.send(wrong) == 409
    assert page.answer["error"]["number"] == other.number == page.number + 1
    page.number = other.number
    page.follow()
    assert page.passed
    assert outcomes() == []


@pytest.mark.postgres
def test_slow_request_takes_nothing_from_a_challenge_that_has_passed(
    visit, drawn, monkeypatch, obama
):
    drawn("left")
    page = visit()
    page.until_step()
    page.wait(0.9)
    other = same_page(page)
    overtaken(monkeypatch, other, page.jpeg())
    assert page.send(turned_right()) == 409
    assert other.passed
    assert other.log_in().status_code == 200


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_many_requests_with_one_number_in_threads(client, clock, drawn, monkeypatch):
    drawn("left")
    page = Visitor(client, clock)
    page.until_step()
    cookies, frame, barrier = client.cookies, page.jpeg(), Barrier(4)
    look = looking.look

    def together(*args: Any) -> Any:
        found = look(*args)
        barrier.wait(30)
        return found

    monkeypatch.setattr(looking, "look", together)

    def one(_number: int) -> int:
        browser = Client()
        browser.cookies = cookies
        try:
            return same_page(Visitor(browser, clock)).send(
                frame, challenge=page.challenge, number=page.number + 1
            )
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(one, range(4))) == [200, 409, 409, 409]


def test_step_that_takes_too_long(visit):
    page = visit()
    page.until_step()
    page.wait(6.1)
    assert (page.send(), page.code) == (400, "challenge_failed")
    assert "too long" in page.message
    assert (page.send(), page.code) == (400, "challenge_expired")
    # It counts as given up, and not as a face that was refused.
    assert outcomes() == []
    assert not FailureCount.objects.exists()
    page.restart()
    page.follow()
    assert page.passed


def test_new_page_after_a_step_that_took_too_long_begins_anew(visit):
    page = visit()
    page.until_step()
    page.wait(6.1)
    again = visit()
    assert again.send() == 200
    assert (again.answer["state"], again.number) == ("look", 1)
    assert again.challenge != page.challenge
    assert FaceChallenge.objects.get(revealed=True).expires_at


@pytest.mark.parametrize("hours", [1, -1])
def test_clock_that_is_set_in_the_middle(visit, obama, hours):
    page = visit()
    page.until_step()
    page.wait(hours * 3600)
    # Nobody is kept waiting for the clock, or told that they moved the wrong way.
    assert page.send() == 400
    assert page.message.startswith("That took too long.")
    page.restart()
    page.until_step()
    page.follow()
    assert page.passed
    assert page.log_in().status_code == 200


def test_later_steps_have_half_of_the_time(visit, drawn):
    drawn("left", "up", "right")
    page = visit()
    page.until_step()
    page.wait(5.5)  # whoever sees it first looks at the arrow for a while
    while page.answer["step"]["done"] == 0:
        assert page.send(page.jpeg("left")) == 200
        page.wait()
    page.wait(3.1)
    assert (page.send(), page.code) == (400, "challenge_failed")
    assert "too long" in page.message


def test_site_can_give_more_time(visit, settings):
    settings.FACEAUTH = {**settings.FACEAUTH, "CHALLENGE_STEP_SECONDS": 8, "CHALLENGE_SECONDS": 40}
    page = visit()
    page.until_step()
    page.wait(15.5)
    page.follow()
    assert page.passed


def test_challenge_that_expires_in_the_middle(visit, settings):
    settings.FACEAUTH = {**settings.FACEAUTH, "CHALLENGE_STEP_SECONDS": 100}
    page = visit()
    page.until_step()
    page.wait(20.1)
    assert (page.send(), page.code) == (400, "challenge_expired")
    assert page.message == "That took too long. Start again."


def test_page_may_wait_for_a_face_for_as_long_as_it_takes(visit):
    page, room = visit(), jpeg(empty_room())
    for _ in range(10):
        assert page.send(room) == 200
        page.wait(60)
    page.follow()
    assert page.passed


def test_passed_challenge_is_good_for_a_minute(visit, obama):
    page = visit()
    page.follow()
    page.wait(61)
    assert page.log_in().json()["error"]["code"] == "challenge_expired"


def test_connection_that_is_lost_in_the_middle(visit, obama):
    page = visit()
    page.until_step()
    page.follow(count=3)
    number = page.number
    page.wait()
    page.send()
    page.number = number  # the answer did not arrive
    page.wait()
    assert page.send() == 409
    page.number = page.answer["error"]["number"]
    page.follow()
    assert page.passed
    assert page.log_in().status_code == 200


def test_answer_that_is_lost_when_the_challenge_is_passed(visit, obama):
    page = visit()
    page.follow()
    for number in (page.number, page.number + 1):
        assert page.send(number=number) == 200
        assert page.passed
    assert page.log_in().status_code == 200


def test_answer_that_is_lost_when_the_challenge_is_opened(visit, obama):
    page = visit()
    page.send()
    page.restart()
    page.follow()
    assert page.passed
    assert FaceChallenge.objects.count() == 1


def test_two_tabs_go_on_together_until_one_logs_in(visit, obama, drawn):
    drawn("left", "up", "closer")
    one = visit()
    one.until_step()
    other = visit(person=one.person)
    while not one.passed:
        one.wait()
        # The other tab sends frames as well while the head still looks ahead.
        if other.done < one.done or not other.step:
            if other.send(one.jpeg()) == 409:
                other.number = other.answer["error"]["number"]
                assert other.send(one.jpeg()) == 200
            assert other.challenge == one.challenge
            assert one.send() == 409
            one.number = one.answer["error"]["number"]
        assert one.send() == 200
    assert one.log_in().status_code == 200
    assert (other.send(), other.code) == (400, "challenge_expired")


def test_tab_whose_frames_another_tab_would_have_to_send_again_begins_anew(visit, obama, drawn):
    drawn("left")
    one = visit()
    one.until_step()
    other = visit(person=one.person)
    other.send(one.jpeg())
    one.wait(0.9)
    while not other.passed and other.challenge:
        assert other.send(one.jpeg()) == 200
        one.wait()
    assert not other.passed
    other.since = other.now
    other.jpeg()  # the head goes back to the middle
    other.wait(1.2)
    assert other.follow() == 200
    assert other.passed
    assert other.challenge != one.challenge


def test_server_that_restarts(visit, obama, monkeypatch):
    page = visit()
    page.until_step()
    monkeypatch.setattr(samples, "_last", None)
    crypto._make_keyring.cache_clear()
    crypto._record_keys.cache_clear()
    page.follow()
    assert page.passed
    assert page.log_in().status_code == 200


def test_busy_site_loses_nothing(visit, monkeypatch, drawn):
    drawn("left")
    monkeypatch.setattr(samples, "WAIT_SECONDS", 0.01)
    page = visit()
    page.until_step()
    with crowd():
        page.wait()
        assert (page.send(), page.code) == (503, "busy")
    page.follow()
    assert page.passed
