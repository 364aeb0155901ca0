"""Compute distances between templates and probes, and the error rates that follow from them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from faceauth.recognition.matching import Templates
from faceauth.vision.encoding import Encoding

from .dataset import Encoded

# The measured numbers of shots enrolled and frames shown.
CELLS = tuple((shots, frames) for shots in (1, 3, 5) for frames in (1, 3, 5))

# The number of times that people's photos are split at random into templates and probes, and the
# maximum number of probes of one person in each split: otherwise a person with a hundred photos
# would dominate the result.
SPLITS = 10
PROBES = 10

BOOTSTRAPS = 200
# This share of the impostors, the nearest ones, is kept with their people; all others are only
# counted.
TAIL = 0.03


class Rate(NamedTuple):
    """A rate and its 95 % confidence interval.

    The interval comes from resampling people, not pairs: a hundred wrong pairs of one person are
    one fact.

    Attributes:
        value: The rate, 0 to 1.
        low: The lower end of the interval.
        high: The upper end of the interval.
        events: The number of pairs counted.
        of: The number of all pairs.
    """

    value: float
    low: float
    high: float
    events: int
    of: int


class Scores:
    """Genuine and impostor distances for one number of shots and frames.

    Args:
        shots: The number of shots enrolled.
        frames: The number of frames shown.
        people: The number of people.
    """

    def __init__(self, shots: int, frames: int, people: int) -> None:
        self.shots, self.frames = shots, frames
        self._people = people
        self._genuine: list[NDArray[np.float32]] = []
        self._owners: list[NDArray[np.int64]] = []
        self._impostors: list[NDArray[np.float32]] = []
        self._tail: list[tuple[NDArray[np.float32], NDArray[np.int64], NDArray[np.int64]]] = []
        self._counts: list[tuple[NDArray[np.int64], NDArray[np.int64]]] = []

    def add(
        self,
        distances: NDArray[np.float32],
        rows: NDArray[np.int64],
        columns: NDArray[np.int64],
        *,
        once: bool = False,
    ) -> None:
        """Add the distances from templates to probes.

        Args:
            distances: Float32 (n, m).
            rows: The people of the templates, int (n,).
            columns: The people of the probes, int (m,).
            once: Rows and columns are the same photos, so count each pair once.
        """
        counted = np.triu(np.ones(distances.shape, bool), 1) if once else True
        same = rows[:, None] == columns
        genuine = np.nonzero(same & counted)
        self._genuine.append(distances[genuine])
        self._owners.append(rows[genuine[0]])
        impostors = np.nonzero(~same & counted)
        different = distances[impostors]
        self._impostors.append(different)
        near = different <= np.quantile(different, TAIL) if len(different) else np.empty(0, bool)
        self._tail.append((different[near], rows[impostors[0][near]], columns[impostors[1][near]]))
        sides = [np.bincount(side, minlength=self._people) for side in (rows, columns)]
        self._counts.append((sides[0], sides[1]))
        for cached in ("genuine", "impostors"):
            self.__dict__.pop(cached, None)

    @cached_property
    def genuine(self) -> NDArray[np.float32]:
        """All distances between pictures of one person, ascending."""
        return np.sort(np.concatenate([*self._genuine, np.empty(0, np.float32)]))

    @cached_property
    def impostors(self) -> NDArray[np.float32]:
        """All distances between pictures of two people, ascending."""
        found = np.sort(np.concatenate([*self._impostors, np.empty(0, np.float32)]))
        # There may be many millions, so the unsorted distances are not kept as well.
        self._impostors = [found]
        return found

    def limit(self, rate: float) -> float:
        """Return the largest distance at which at most this share of impostors pass."""
        impostors = self.impostors
        return float(np.nextafter(impostors[int(rate * len(impostors))], np.float32(-np.inf)))

    def fmr(self, limit: float) -> Rate:
        """Return the false-match rate if distances up to `limit` are accepted."""
        total = len(self.impostors)
        events = int(np.searchsorted(self.impostors, np.float32(limit), side="right"))
        weights = self._weights
        passed, tried = np.zeros(len(weights)), np.zeros(len(weights))
        for (near, rows, columns), (left, right) in zip(self._tail, self._counts, strict=True):
            wrong = near <= limit
            passed += np.einsum("bk,bk->b", weights[:, rows[wrong]], weights[:, columns[wrong]])
            tried += (weights @ left) * (weights @ right) - (weights**2) @ (left * right)
        # Pairs that count once are in the product twice.
        tried *= total / max(sum(int(a.sum() * b.sum() - a @ b) for a, b in self._counts), 1)
        return _rate(events, total, passed / np.maximum(tried, 1))

    def fnmr(self, limit: float) -> Rate:
        """Return the false non-match rate if distances beyond `limit` are refused."""
        owners = np.concatenate([*self._owners, np.empty(0, np.int64)])
        wrong = np.concatenate([*self._genuine, np.empty(0, np.float32)]) > limit
        weights = self._weights
        refused = weights @ np.bincount(owners[wrong], minlength=self._people)
        tried = weights @ np.bincount(owners, minlength=self._people)
        return _rate(int(wrong.sum()), len(owners), refused / np.maximum(tried, 1))

    def eer(self) -> float:
        """Return the equal error rate, 0 to 1."""
        genuine, impostors = self.genuine, self.impostors
        # At each genuine distance, and just below it.
        fnmr, fmr = (
            np.concatenate([np.searchsorted(each, genuine, side) for side in ("left", "right")])
            / max(len(each), 1)
            for each in (genuine, impostors)
        )
        fnmr = 1 - fnmr
        crossing = int(np.abs(fnmr - fmr).argmin())
        return float((fnmr[crossing] + fmr[crossing]) / 2)

    @cached_property
    def _weights(self) -> NDArray[np.float64]:
        """The counts of each person in draws with replacement, float64 (draws, people)."""
        random = np.random.default_rng(0)
        people = self._people
        return random.multinomial(people, np.full(people, 1 / people), BOOTSTRAPS).astype(float)


def measurable(people: Sequence[Sequence[Encoded]]) -> list[tuple[int, int]]:
    """Return the `CELLS` for which at least one person has enough photos."""
    largest = max(map(len, people), default=0)
    return [(shots, frames) for shots, frames in CELLS if shots + frames <= largest]


def score(
    people: Sequence[Sequence[Encoded]],
    shots: int,
    frames: int,
    *,
    cohort: Encoding | None = None,
) -> Scores:
    """Compare templates of `shots` photos with probes of `frames` other photos.

    Args:
        people: The photos of each person.
        shots: The number of photos in a template.
        frames: The number of photos in a probe.
        cohort: The strangers that margins are measured from, float32 (m, d), each of length 1. By
            default those of the site's calibration.
    """
    scores = Scores(shots, frames, len(people))
    if (shots, frames) == (1, 1):
        photos, owners = _singly(people)
        templates = Templates.from_encodings([photo.views[None] for photo in photos], cohort)
        probes = Templates.from_encodings([photo.mirrored[None] for photo in photos], cohort)
        scores.add(templates.distances(probes), owners, owners, once=True)
        return scores
    for seed in range(SPLITS):
        templates, rows, probes, columns = split(people, shots, frames, seed, cohort)
        scores.add(templates.distances(probes), rows, columns)
    return scores


def plain_scores(people: Sequence[Sequence[Encoded]]) -> Scores:
    """Compare one photo with one, as face_recognition does."""
    photos, owners = _singly(people)
    plain = np.stack([photo.plain for photo in photos])
    squares = (plain**2).sum(axis=1)
    distances = np.sqrt(np.maximum(squares[:, None] + squares - 2 * plain @ plain.T, 0))
    scores = Scores(1, 1, len(people))
    scores.add(distances, owners, owners, once=True)
    return scores


def split(
    people: Sequence[Sequence[Encoded]],
    shots: int,
    frames: int,
    seed: int,
    cohort: Encoding | None = None,
) -> tuple[Templates, NDArray[np.int64], Templates, NDArray[np.int64]]:
    """Split people's photos at random into templates and probes.

    People with enough photos for both give both, from different photos; the others only probes.

    Args:
        people: The photos of each person.
        shots: The number of photos in a template.
        frames: The number of photos in a probe.
        seed: Of the random numbers.
        cohort: As for `score`.

    Returns:
        The templates and their people, int (n,); the probes and their people, int (m,).
    """
    random = np.random.default_rng(seed)
    enrolled, rows, probes, columns = [], [], [], []
    for index, each in enumerate(people):
        photos = [each[number] for number in random.permutation(len(each))]
        if len(photos) >= shots + frames:
            enrolled.append(np.stack([photo.views for photo in photos[:shots]]))
            rows.append(index)
            photos = photos[shots:]
        for start in range(0, min(len(photos), PROBES * frames) - frames + 1, frames):
            shown = photos[start : start + frames]
            probes.append(np.stack([photo.mirrored for photo in shown]))
            columns.append(index)
    return (
        Templates.from_encodings(enrolled, cohort),
        np.array(rows, np.int64),
        Templates.from_encodings(probes, cohort),
        np.array(columns, np.int64),
    )


def _singly(people: Sequence[Sequence[Encoded]]) -> tuple[list[Encoded], NDArray[np.int64]]:
    """Return all photos, and the number of the person in each."""
    photos = [photo for each in people for photo in each]
    owners = [index for index, each in enumerate(people) for _ in each]
    return photos, np.array(owners, np.int64)


def _rate(events: int, of: int, drawn: NDArray[np.float64]) -> Rate:
    low, high = np.quantile(drawn, (0.025, 0.975))
    if not events:
        high = 3 / max(of, 1)  # the rule of three
    return Rate(events / max(of, 1), float(low), float(high), events, of)
