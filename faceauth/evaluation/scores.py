"""Distances between people's templates and probes, and the rates that follow from them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from faceauth.recognition.matching import Templates
from faceauth.vision.encoding import Encoding

from .dataset import Encoded

# How many shots are enrolled and how many frames shown, where it is measured.
CELLS = tuple((shots, frames) for shots in (1, 3, 5) for frames in (1, 3, 5))

# How often people's photos are dealt anew to templates and probes, and how many probes of one
# person count each time: else the one with a hundred photos would speak for all.
DEALS = 10
PROBES = 10

BOOTSTRAPS = 200
# Impostors farther apart than all but this share of them are only counted.
TAIL = 0.03


class Rate(NamedTuple):
    """A rate, its 95 % confidence interval, and what was counted.

    The interval comes from drawing people, not pairs: a hundred wrong pairs of one person are
    one fact.
    """

    value: float
    low: float
    high: float
    events: int
    of: int


class Scores:
    """Genuine and impostor distances for one number of shots and frames."""

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
        """Count distances, float32 (n, m), from the templates of people `rows`, int (n,), to the
        probes of people `columns`, int (m,).

        once: rows and columns are of the same photos; each two of them count once.
        """
        counted = np.triu(np.ones(distances.shape, bool), 1) if once else True
        same = rows[:, None] == columns
        genuine = np.nonzero(same & counted)
        self._genuine.append(distances[genuine])
        self._owners.append(rows[genuine[0]])
        impostors = np.nonzero(~same & counted)
        apart = distances[impostors]
        self._impostors.append(apart)
        near = apart <= np.quantile(apart, TAIL) if len(apart) else np.empty(0, bool)
        self._tail.append((apart[near], rows[impostors[0][near]], columns[impostors[1][near]]))
        sides = [np.bincount(side, minlength=self._people) for side in (rows, columns)]
        self._counts.append((sides[0], sides[1]))
        for sorted_before in ("genuine", "impostors"):
            self.__dict__.pop(sorted_before, None)

    @cached_property
    def genuine(self) -> NDArray[np.float32]:
        """All distances between pictures of one person, ascending."""
        return np.sort(np.concatenate([*self._genuine, np.empty(0, np.float32)]))

    @cached_property
    def impostors(self) -> NDArray[np.float32]:
        """All distances between pictures of two people, ascending."""
        found = np.sort(np.concatenate([*self._impostors, np.empty(0, np.float32)]))
        # There may be many millions: they are not kept unsorted as well.
        self._impostors = [found]
        return found

    def limit(self, rate: float) -> float:
        """The largest distance at which no more than this share of impostors pass."""
        impostors = self.impostors
        return float(np.nextafter(impostors[int(rate * len(impostors))], np.float32(-np.inf)))

    def fmr(self, limit: float) -> Rate:
        """The false-match rate up to a distance."""
        total = len(self.impostors)
        events = int(np.searchsorted(self.impostors, np.float32(limit), side="right"))
        weights = self._weights
        passed, tried = np.zeros(len(weights)), np.zeros(len(weights))
        for (apart, rows, columns), (left, right) in zip(self._tail, self._counts, strict=True):
            wrong = apart <= limit
            passed += np.einsum("bk,bk->b", weights[:, rows[wrong]], weights[:, columns[wrong]])
            tried += (weights @ left) * (weights @ right) - (weights**2) @ (left * right)
        # What counts once is in the product twice.
        tried *= total / max(sum(int(a.sum() * b.sum() - a @ b) for a, b in self._counts), 1)
        return _rate(events, total, passed / np.maximum(tried, 1))

    def fnmr(self, limit: float) -> Rate:
        """The false non-match rate beyond a distance."""
        owners = np.concatenate([*self._owners, np.empty(0, np.int64)])
        wrong = np.concatenate([*self._genuine, np.empty(0, np.float32)]) > limit
        weights = self._weights
        refused = weights @ np.bincount(owners[wrong], minlength=self._people)
        tried = weights @ np.bincount(owners, minlength=self._people)
        return _rate(int(wrong.sum()), len(owners), refused / np.maximum(tried, 1))

    def eer(self) -> float:
        """The equal error rate."""
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
        """How often each person comes up in each of many draws with replacement."""
        random = np.random.default_rng(0)
        people = self._people
        return random.multinomial(people, np.full(people, 1 / people), BOOTSTRAPS).astype(float)


def measurable(people: Sequence[Sequence[Encoded]]) -> list[tuple[int, int]]:
    """Those of `CELLS` that somebody has photos enough for."""
    most = max(map(len, people), default=0)
    return [(shots, frames) for shots, frames in CELLS if shots + frames <= most]


def score(
    people: Sequence[Sequence[Encoded]],
    shots: int,
    frames: int,
    *,
    against: Encoding | None = None,
) -> Scores:
    """Templates of so many photos set against probes of so many others.

    against: the cohort, by default the shipped one.
    """
    scores = Scores(shots, frames, len(people))
    if (shots, frames) == (1, 1):
        photos, owners = _singly(people)
        templates = Templates.from_encodings([photo.views[None] for photo in photos], against)
        probes = Templates.from_encodings([photo.quick[None] for photo in photos], against)
        scores.add(templates.distances(probes), owners, owners, once=True)
        return scores
    for deal in range(DEALS):
        templates, rows, probes, columns = dealt(people, shots, frames, deal, against)
        scores.add(templates.distances(probes), rows, columns)
    return scores


def plain_scores(people: Sequence[Sequence[Encoded]]) -> Scores:
    """One photo against one as face_recognition compares them."""
    photos, owners = _singly(people)
    plain = np.stack([photo.plain for photo in photos])
    squares = (plain**2).sum(axis=1)
    apart = np.sqrt(np.maximum(squares[:, None] + squares - 2 * plain @ plain.T, 0))
    scores = Scores(1, 1, len(people))
    scores.add(apart, owners, owners, once=True)
    return scores


def dealt(
    people: Sequence[Sequence[Encoded]],
    shots: int,
    frames: int,
    seed: int,
    against: Encoding | None = None,
) -> tuple[Templates, NDArray[np.int64], Templates, NDArray[np.int64]]:
    """Templates and probes with their people's numbers. Who has photos enough for both gives
    both, of different photos; others only probes.
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
            probes.append(np.stack([each.quick for each in shown]))
            columns.append(index)
    return (
        Templates.from_encodings(enrolled, against),
        np.array(rows, np.int64),
        Templates.from_encodings(probes, against),
        np.array(columns, np.int64),
    )


def _singly(people: Sequence[Sequence[Encoded]]) -> tuple[list[Encoded], NDArray[np.int64]]:
    """All photos, and the number of the person in each."""
    photos = [photo for each in people for photo in each]
    owners = [index for index, each in enumerate(people) for _ in each]
    return photos, np.array(owners, np.int64)


def _rate(events: int, of: int, drawn: NDArray[np.float64]) -> Rate:
    low, high = np.quantile(drawn, (0.025, 0.975))
    if not events:
        high = 3 / max(of, 1)  # the rule of three
    return Rate(events / max(of, 1), float(low), float(high), events, of)
