"""The distance between two faces. All decisions use this measure."""

from __future__ import annotations

import math
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from faceauth import conf
from faceauth.vision.encoding import Encoding, template

from .calibration import calibration, data_file

Distances = NDArray[np.float32]

# How many people of the cohort are a face's neighbours, and the share of the margin that is
# subtracted. Both are the middle of a broad optimum: 3 to 10 neighbours and shares of 0.3 to 0.4
# do about as well.
NEIGHBOURS = 4
SHARE = 0.35
# Of three photos that somebody had taken at different times, two lie farther apart than this 99
# times in 100; frames of one burst of a webcam lie around it. The figure is for dlib's encodings,
# see `Calibration.scale`.
SAME_BURST_WITHIN = 0.2

# Approximately the mean margin of the people that the cohort was made from. Another encoder's mean
# can differ: this shifts all its distances equally, those of its calibration too.
COMMON_MARGIN = 0.31

# More than the products of two vectors of length 1 are wrong by in float32.
ROUNDING = 1e-5

# OpenBLAS multiplies a matrix of this many numbers with a vector in one thread.
ONE_THREAD = 8192


class Templates(NamedTuple):
    """Faces in the form in which they are compared.

    Attributes:
        vectors: Shape (n, d), float32, each of length 1.
        margins: Shape (n,), float32: how far each face lies from its nearest strangers, see
            `distances`.
    """

    vectors: Encoding
    margins: NDArray[np.float32]

    @classmethod
    def from_encodings(
        cls, people: Iterable[Encoding], against: Encoding | None = None
    ) -> Templates:
        """Return one template for each person.

        Args:
            people: The encodings of each person, float32 (n, d).
            against: As in `from_vectors`.
        """
        vectors = [template(encodings) for encodings in people]
        strangers = cohort() if against is None else against
        shape = len(vectors), strangers.shape[1]
        return cls.from_vectors(np.array(vectors, np.float32).reshape(shape), strangers)

    @classmethod
    def from_vectors(cls, vectors: Encoding, against: Encoding | None = None) -> Templates:
        """Return the templates of vectors.

        Args:
            vectors: Shape (n, d), float32, each of length 1.
            against: The strangers from which margins are measured, float32 (m, d), each of length
                1; by default `cohort`.
        """
        strangers = cohort() if against is None else against
        cosines = _products(strangers, vectors).T
        nearest = np.partition(cosines, -NEIGHBOURS, axis=1)[:, -NEIGHBOURS:]
        margins = _euclidean(nearest).sum(axis=1) / NEIGHBOURS - np.float32(COMMON_MARGIN)
        return cls(vectors, margins)

    def sketched(self) -> Templates:
        """Return sketches of these, which have three eighths of their size.

        The distance between two sketches is at most the distance between the templates, and little
        less for faces. A sketch has a vector's coordinates in the directions in which strangers
        differ most, and the length of the rest, because the product of two rests is at most that
        of their lengths (Cauchy-Schwarz).
        """
        seen = _products(_directions(conf.get().CALIBRATION), self.vectors).T
        rests = np.maximum(1 - (seen**2).sum(axis=1, keepdims=True), 0) + np.float32(ROUNDING)
        return Templates(np.hstack([seen, np.sqrt(rests)]), self.margins)

    def distances(self, others: Templates) -> Distances:
        """Return the distance from each of these to each of the others, float32 (n, m).

        This is the Euclidean distance, minus a share of both margins: some kinds of faces lie
        closer together than others, because the network was trained on few of them, and two
        different people among them differ by less. (Adaptive symmetric normalisation, Matejka et
        al., "Analysis of Score Normalization in Multilingual Speaker Recognition", Interspeech
        2017, here with means alone.)
        """
        euclidean = _euclidean(_products(self.vectors, others.vectors))
        distances: Distances = normalised(euclidean, self.margins[:, None], others.margins)
        return distances

    def nearest(self, probe: Encoding, count: int) -> list[tuple[int, float]]:
        """Find the templates nearest to a probe.

        Args:
            probe: The probe's encodings, float32 (n, d).
            count: How many templates to return.

        Returns:
            The index and the distance of each, nearest first.
        """
        return smallest(self.distances(Templates.from_encodings([probe]))[:, 0], count)


def smallest(distances: Distances, count: int) -> list[tuple[int, float]]:
    """Return the index and the value of up to `count` distances, float32 (n,), smallest first."""
    rows = np.arange(len(distances))
    if count < len(distances):
        rows = np.argpartition(distances, count)[:count]
    rows = rows[np.argsort(distances[rows])]
    return [(int(row), float(distances[row])) for row in rows]


def distance(one: Encoding, other: Encoding) -> float:
    """Return the distance between two faces, given their encodings, float32 (n, d) and (m, d)."""
    vectors, margins = Templates.from_encodings([one, other])
    # As `Templates.distances`, without the arrays that a single number does not need.
    euclidean = math.sqrt(max(2 - 2 * float(vectors[0] @ vectors[1]), 0))
    return normalised(euclidean, float(margins[0]), float(margins[1]))


def normalised(euclidean: Any, one: Any, other: Any) -> Any:
    """Return the distance of two faces, given the Euclidean distance and both margins.

    Accepts arrays as well as numbers.
    """
    return euclidean - SHARE * (one + other)


def effective_frames(probe: Encoding) -> int:
    """Return the effective number of independent frames of a probe, float32 (n, d).

    Near-identical frames of one burst count as one: they carry no more information than one.
    """
    if len(probe) == 1:
        return 1
    vectors = probe / np.sqrt((probe**2).sum(axis=1, keepdims=True))
    farthest = _euclidean((vectors @ vectors.T).min())
    return len(probe) if farthest > SAME_BURST_WITHIN * calibration().scale else 1


def cohort() -> Encoding:
    """Return the strangers that distances are normalised by, float32 (n, d), each of length 1.

    They are no real people: each is the mean of five people who look alike.
    """
    return _cohort(conf.get().CALIBRATION)


@cache
def _cohort(folder: str | Path | None) -> Encoding:
    path = data_file(folder, "cohort.npy")
    vectors: Encoding = np.load(path, allow_pickle=False).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


@cache
def _directions(folder: str | Path | None) -> Encoding:
    """Return the directions in which strangers differ most, float32 (k, d), each of length 1."""
    strangers = _cohort(folder)
    directions: Encoding = np.linalg.svd(strangers, full_matrices=False)[2]
    # Among 100,000 made-up faces, sketches of a quarter of the size rule out all but 2,000 on
    # average, these all but 230, and a search takes the least time with them.
    return directions[: strangers.shape[1] * 3 // 8 - 1]


def _products(many: Encoding, few: Encoding) -> NDArray[np.float32]:
    """Return ``many @ few.T``.

    If `few` is one vector, a single thread computes it: the threads of BLAS wait for each other,
    for milliseconds if the cores are busy with something else. It gets pieces that are too small
    to be shared out among threads.
    """
    if len(few) != 1:
        products: NDArray[np.float32] = many @ few.T
        return products
    size = many.shape[1]
    rows = max(ONE_THREAD // size, 1)
    whole = len(many) // rows * rows
    pieces = many[:whole].reshape(-1, rows, size) @ few[0]
    return np.concatenate([pieces.ravel(), np.vecdot(many[whole:], few[0])])[:, None]


def _euclidean(cosines: Any) -> Distances:
    """Return the distances of vectors of length 1, given their products."""
    distances: Distances = np.sqrt(np.maximum(2 - 2 * cosines, 0))
    return distances
