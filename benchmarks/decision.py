"""Measure a decision from existing encodings, in memory, with one thread."""

from __future__ import annotations

from collections.abc import Callable
from statistics import median
from typing import Any, NamedTuple

import numpy as np

from benchmarks.speed import timed
from faceauth.recognition import policy
from faceauth.recognition.matching import Templates, distance, effective_frames
from faceauth.recognition.policy import Match

PEOPLE = 10_000
SHOTS, FRAMES = 5, 3
REPETITIONS = 2000


class Cost(NamedTuple):
    """Medians in milliseconds.

    Attributes:
        verify: Compare with one person.
        identify: Find one among `PEOPLE` people.
    """

    verify: float
    identify: float


def measure() -> Cost:
    """Measure decisions on people whose faces are random numbers."""
    random = np.random.default_rng(0)
    faces = random.normal(size=(PEOPLE, 128))
    enrolled = (faces[0] + random.normal(0, 0.3, (SHOTS, 128))).astype(np.float32)
    probe = (faces[0] + random.normal(0, 0.3, (FRAMES, 128))).astype(np.float32)
    templates = Templates.from_encodings(faces.astype(np.float32)[:, None])

    def verify() -> None:
        policy.verify(Match(0, distance(enrolled, probe), SHOTS), effective_frames(probe))

    def identify() -> None:
        nearest = templates.nearest(probe, 2)
        matches = [Match(row, value, SHOTS) for row, value in nearest]
        policy.identify(matches, effective_frames(probe), PEOPLE)

    return Cost(_median(verify), _median(identify))


def _median(work: Callable[[], Any]) -> float:
    return median(timed(work) for _ in range(REPETITIONS))
