"""Whose picture is looked at next."""

from __future__ import annotations

import time
from contextvars import copy_context
from threading import Thread

import pytest

from faceauth.capture import turns
from faceauth.capture.turns import ANSWERING, BEGINNING, FORM, GUIDANCE, Turns

HOME, OFFICE, FAR = ("1/24", "1.1", ""), ("1/24", "1.2", ""), ("2/24", "2.1", "")
DEVICE = ("1/24", "1.1", "7")


class Line:
    """Visitors who wait for the one turn there is, each in a thread."""

    def __init__(self) -> None:
        self.turns = Turns(1)
        self._last = self.turns.acquire(0)
        self.admitted: list[str] = []
        self.refused: list[str] = []
        self._threads: list[Thread] = []

    def come(self, name, line=HOME, rank=GUIDANCE, timeout=10.0):
        """Let a visitor wait."""
        before = [*self.turns._waiting]
        thread = Thread(target=self._wait, args=(name, line, rank, timeout))
        self._threads.append(thread)
        thread.start()
        while self.turns._waiting == before and thread.is_alive():
            time.sleep(0.001)

    def go_on(self, count=100):
        """Pass the turn on so often. Return who had it."""
        before = len(self.admitted)
        for number in range(1, count + 1):
            if not self.turns._waiting:
                break
            self.turns.release(self._last)
            while len(self.admitted) < before + number:
                time.sleep(0.001)
        return self.admitted[before:]

    def close(self):
        """Let everybody go."""
        self.go_on()
        for each in self._threads:
            each.join()

    def _wait(self, name, line, rank, timeout):
        with turns.of(line, rank):
            admitted = self.turns.acquire(timeout)
        if admitted:
            self._last = admitted
        (self.admitted if admitted else self.refused).append(name)


@pytest.fixture
def line():
    line = Line()
    yield line
    line.close()


def test_who_is_further_along_comes_first(line):
    line.come("guided", rank=GUIDANCE)
    line.come("begins", rank=BEGINNING)
    line.come("second step", rank=ANSWERING + 1)
    line.come("first step", rank=ANSWERING)
    line.come("form", rank=FORM)
    assert line.go_on() == ["form", "second step", "first step", "begins", "guided"]


def test_addresses_take_turns_however_many_wait_at_one(line):
    for number in range(5):
        line.come(f"home {number}", HOME)
    line.come("far", FAR)
    line.come("office", OFFICE)
    assert line.go_on(3) == ["home 0", "far", "office"]
    line.come("far again", FAR)
    assert line.go_on() == ["far again", "home 1", "home 2", "home 3", "home 4"]


def test_many_addresses_of_one_network_share_its_turns(line):
    for number in range(5):
        line.come(f"subnet {number}", ("1/24", f"1.{number}", ""))
    line.come("far", FAR)
    line.come("far again", FAR)
    assert line.go_on(4) == ["subnet 0", "far", "subnet 1", "far again"]


def test_trusted_device_takes_turns_with_all_others_at_its_address(line):
    for number in range(4):
        line.come(f"stranger {number}", HOME)
    line.come("device", DEVICE)
    line.come("device again", DEVICE)
    assert line.go_on(4) == ["stranger 0", "device", "stranger 1", "device again"]


def test_who_waits_too_long_is_refused_and_leaves_the_line(line):
    line.come("impatient", timeout=0.01)
    while not line.refused:
        time.sleep(0.001)
    line.come("patient")
    assert line.go_on() == ["patient"]
    assert line.refused == ["impatient"]


def test_longest_queue_loses_its_last_one_when_all_places_are_taken(line, monkeypatch):
    monkeypatch.setattr(turns, "PLACES", 4)
    for number in range(4):
        line.come(f"home {number}", HOME, GUIDANCE if number else ANSWERING)
    line.come("far", FAR)
    line.come("home 4", HOME, FORM)
    line.go_on()
    line.close()
    assert sorted(line.refused) == ["home 2", "home 3"]
    assert line.admitted == ["home 4", "home 0", "far", "home 1"]


def test_one_address_has_few_places_to_begin(line):
    for number in range(10):
        line.come(f"home {number}", HOME)
    line.come("step", HOME, ANSWERING)
    line.come("device", DEVICE)
    line.come("far", FAR)
    line.close()
    assert sorted(line.refused) == ["home 8", "home 9"]
    assert line.admitted[0] == "step"
    assert len(line.admitted) == 11


def test_as_many_at_once_as_there_are_turns():
    free = Turns(2)
    first, second, third = (free.acquire(0) for _ in range(3))
    assert first and second and third is None
    free.release(first)
    assert free.acquire(0)
    assert free.acquire(0) is None


@pytest.mark.parametrize(("count", "beginners"), [(1, 1), (2, 1), (8, 7)])
def test_one_turn_is_for_those_who_have_begun(count, beginners):
    free = Turns(count)
    with turns.of(HOME, BEGINNING):
        taken = [free.acquire(0) for _ in range(count)]
    assert len([each for each in taken if each]) == beginners
    with turns.of(HOME, ANSWERING):
        assert bool(free.acquire(0)) == (count > 1)
        assert free.acquire(0) is None
    free.release(taken[0])
    with turns.of(HOME, GUIDANCE):
        assert free.acquire(0)


def test_turn_of_one_who_had_begun_goes_to_another_who_has():
    free = Turns(2)
    answering = free.acquire(0)
    with turns.of(HOME, GUIDANCE):
        guided = free.acquire(0)
        waiting = Thread(target=copy_context().run, args=(free.acquire, 1.0))
        waiting.start()
    while not free._waiting:
        time.sleep(0.001)
    assert answering and guided
    free.release(answering)
    # The one who waits only begins.
    assert free.acquire(0)
    free.release(guided)
    waiting.join()


def test_what_is_remembered_is_bounded(monkeypatch):
    monkeypatch.setattr(turns, "MAX_KNOWN", 10)
    free = Turns(1)
    for number in range(30):
        with turns.of((f"{number}/24", f"{number}.1", ""), GUIDANCE):
            free.release(free.acquire(0))
    assert len(free._served) == 10
