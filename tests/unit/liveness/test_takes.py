"""A film of a take is near to it, and another take of the same head is not."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from faceauth.liveness.replay import WITHIN
from faceauth.liveness.sightings import Sighting
from faceauth.liveness.takes import MAX_FRAMES, Take, distances

EVERY = 0.12  # seconds


class Head:
    """A head that looks ahead, then turns; the seed decides how.

    Args:
        seed: Of how the head moves.
        day: Another day has another light, and so other encodings.
    """

    def __init__(self, seed: int, day: int = 0) -> None:
        random = np.random.default_rng(seed)
        self.phases = random.uniform(0, 2 * math.pi, 4)
        self.start, self.length = random.uniform(0.6, 1.0), random.uniform(0.4, 0.8)
        self.rest = random.normal(0, 3, 3)
        self.to = np.array([18.0, 0.0]) + random.normal(0, 4, 2)
        person = np.random.default_rng(99).normal(0, 0.1, 128)
        # Two takes in one light are 0.12 apart, and those of two days 0.3.
        light = np.random.default_rng(day).normal(0, 0.02, 128)
        self.encoding = person + light + random.normal(0, 0.009, 128)

    def sighting(self, at: float) -> Sighting:
        share = min(max((at - self.start) / self.length, 0), 1)
        sway = 1.2 * np.sin(np.array([5.1, 3.7, 2.9, 3.3]) * at + self.phases)
        yaw, pitch = self.rest[:2] + share * self.to + sway[:2]
        roll, size = self.rest[2] + sway[2], 0.4 + 0.01 * sway[3]
        return Sighting(at, yaw, pitch, 1.0, 0.0, size, 0.5, 0.5, roll)

    def take(self, noise: float = 0.0, phase: float = 0.0, **film: Any) -> Take:
        """Return a take, or that of a film of it.

        Args:
            noise: Of the film, in degrees.
            phase: How much later the first frame is, in seconds.
            **film: Its `speed`, how much `larger` and how `tilted` it is, and if it is `mirrored`.
        """
        random, speed = np.random.default_rng(7), film.get("speed", 1.0)
        side = -1 if film.get("mirrored") else 1
        seen = []
        for number in range(13):
            found = self.sighting(0.1 + phase + speed * EVERY * number)
            off = random.normal(0, noise, 3)
            seen.append(
                found._replace(
                    at=EVERY * number,
                    yaw=side * found.yaw + off[0],
                    pitch=found.pitch + off[1],
                    roll=side * found.roll + film.get("tilted", 0.0) + off[2],
                    size=found.size * film.get("larger", 1.0),
                )
            )
        encodings = self.encoding + random.normal(0, 0.02 * noise, (3, 128))
        return Take.of(seen, encodings.astype(np.float32))


def near(new: Take, *old: Take) -> list[bool]:
    return list(distances(new, old, 1.0, WITHIN) < WITHIN)


@pytest.mark.parametrize(
    "film",
    [
        {},
        {"noise": 0.4, "phase": 0.05},
        {"noise": 0.3, "larger": 1.3, "tilted": 8.0},
        {"noise": 0.3, "phase": 0.07, "speed": 0.8},
        {"noise": 0.3, "phase": -0.04, "speed": 1.25},
        {"noise": 0.3, "mirrored": True},
    ],
)
@pytest.mark.parametrize("seed", range(4))
def test_a_film_is_near_to_what_was_filmed(seed, film):
    head = Head(seed)
    assert near(head.take(**film), head.take()) == [True]


def test_frames_that_are_lost_or_shown_twice_change_nothing():
    head = Head(1)
    times, path, encodings = head.take(noise=0.3)
    for kept in ([0, 1, 2, 4, 5, 7, 8, 9, 11, 12], [0, 1, 1, 2, 3, 4, 4, 5, 6, 7, 8, 9, 9, 10, 11]):
        take = Take(np.sort(times[kept]), path[kept], encodings)
        assert near(take, head.take()) == [True]


def test_another_take_is_not_near_even_in_the_same_light():
    takes = [Head(seed).take() for seed in range(30)]
    alike = sum(sum(near(take, *takes)) for take in takes)
    assert alike - len(takes) <= 0.02 * len(takes) ** 2


def test_on_another_day_even_the_same_movement_is_not_near():
    others = [Head(1, day).take() for day in range(1, 9)]
    assert not any(near(Head(1).take(), *others))


def test_it_is_the_same_after_being_stored():
    take = Head(2).take()
    stored = Take.unpack(take.pack())
    assert stored is not None
    assert np.allclose(stored.path, take.path)
    assert np.allclose(stored.times, take.times)
    assert np.allclose(stored.encodings, take.encodings, atol=1e-3)
    assert near(stored, take) == [True]


def test_the_longest_take_is_small():
    seen = [Head(1).sighting(number / 10) for number in range(300)]
    take = Take.of(seen, np.ones((9, 512), np.float32))
    assert len(take.times) == MAX_FRAMES
    assert len(take.pack()) < 8000


def test_bytes_of_another_version_are_no_take():
    data = Head(1).take().pack()
    assert Take.unpack(b"\x02" + data[1:]) is None
    assert Take.unpack(b"") is None


def test_takes_of_another_encoder_are_far():
    take = Head(1).take()
    assert near(take._replace(encodings=np.eye(3, 512, dtype=np.float32)), take) == [False]


def test_nothing_is_near_to_nothing():
    assert near(Head(1).take()) == []
