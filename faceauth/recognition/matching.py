"""How far apart two faces are: the one measure that all decisions go by."""

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

# How many of the cohort count as a face's neighbours, and how much they count. Both are the
# middle of a broad optimum: 3 to 10 neighbours and shares of 0.3 to 0.4 do about as well.
NEIGHBOURS = 4
SHARE = 0.35
# Of three photos that somebody had taken at different times, two lie beyond this 99 times in 100;
# frames of one look at a webcam lie about it. Of dlib's encodings, see `Calibration.scale`.
SAME_BURST_WITHIN = 0.2

# About the mean margin of the people whom the cohort was made from. Of another encoder's it may be
# another: all distances move alike by that, those of its calibration too.
COMMON_MARGIN = 0.31


class Templates(NamedTuple):
    """Faces as they are compared.

    vectors: float32 (n, d), each of length 1.
    margins: float32 (n,), how far each keeps from its nearest strangers, see `distances`.
    """

    vectors: Encoding
    margins: NDArray[np.float32]

    @classmethod
    def from_encodings(
        cls, people: Iterable[Encoding], against: Encoding | None = None
    ) -> Templates:
        """One template of each person's encodings, float32 (n, d)."""
        vectors = [template(encodings) for encodings in people]
        strangers = cohort() if against is None else against
        shape = len(vectors), strangers.shape[1]
        return cls.from_vectors(np.array(vectors, np.float32).reshape(shape), strangers)

    @classmethod
    def from_vectors(cls, vectors: Encoding, against: Encoding | None = None) -> Templates:
        """Templates of float32 (n, d), each of length 1.

        against: the strangers that margins are measured from, float32 (m, d), each of length 1;
            by default `cohort`.
        """
        strangers = cohort() if against is None else against
        cosines = _products(strangers, vectors).T
        nearest = np.partition(cosines, -NEIGHBOURS, axis=1)[:, -NEIGHBOURS:]
        margins = _euclidean(nearest).sum(axis=1) / NEIGHBOURS - np.float32(COMMON_MARGIN)
        return cls(vectors, margins)

    def distances(self, others: Templates) -> Distances:
        """From each of these to each of the others, float32 (n, m).

        The Euclidean distance, less a share of both margins: some kinds of faces lie closer
        together than others because the network was trained on few of them, and what separates
        two people among them is less. (Adaptive symmetric normalisation, Matejka et al.,
        "Analysis of Score Normalization in Multilingual Speaker Recognition", Interspeech 2017,
        here with means alone.)
        """
        euclidean = _euclidean(_products(self.vectors, others.vectors))
        apart: Distances = normalised(euclidean, self.margins[:, None], others.margins)
        return apart

    def nearest(self, probe: Encoding, count: int) -> list[tuple[int, float]]:
        """The `count` of these that are nearest to a probe's encodings, float32 (n, d): their
        places and distances, nearest first.
        """
        distances = self.distances(Templates.from_encodings([probe]))[:, 0]
        rows = np.arange(len(distances))
        if count < len(distances):
            rows = np.argpartition(distances, count)[:count]
        rows = rows[np.argsort(distances[rows])]
        return [(int(row), float(distances[row])) for row in rows]


def distance(one: Encoding, other: Encoding) -> float:
    """Between two faces of which the encodings, float32 (n, d) and (m, d), are given."""
    vectors, margins = Templates.from_encodings([one, other])
    # As `distances`, without the arrays that one number has no need of.
    euclidean = math.sqrt(max(2 - 2 * float(vectors[0] @ vectors[1]), 0))
    return normalised(euclidean, float(margins[0]), float(margins[1]))


def normalised(euclidean: Any, one: Any, other: Any) -> Any:
    """The distance of two faces of which the Euclidean one and both margins are known; of many, as
    arrays.
    """
    return euclidean - SHARE * (one + other)


def effective_frames(probe: Encoding) -> int:
    """As how many pictures a probe's encodings, float32 (n, d), count: those of one look hardly
    differ, and tell no more than one.
    """
    if len(probe) == 1:
        return 1
    vectors = probe / np.sqrt((probe**2).sum(axis=1, keepdims=True))
    apart = _euclidean((vectors @ vectors.T).min())
    return len(probe) if apart > SAME_BURST_WITHIN * calibration().scale else 1


def cohort() -> Encoding:
    """Strangers to set distances against, float32 (n, d), each of length 1.

    Nobody in particular: each is the mean of five people who look alike.
    """
    return _cohort(conf.get().CALIBRATION)


@cache
def _cohort(folder: str | Path | None) -> Encoding:
    vectors: Encoding = np.load(data_file(folder, "cohort.npy"), allow_pickle=False).astype(
        np.float32
    )
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def _products(many: Encoding, few: Encoding) -> NDArray[np.float32]:
    """``many @ few.T``. Many times one is left to a single thread: those of BLAS wait for each
    other, for milliseconds where the cores have other things to do.
    """
    products: NDArray[np.float32] = (
        np.vecdot(many, few[0])[:, None] if len(few) == 1 else many @ few.T
    )
    return products


def _euclidean(cosines: Any) -> Distances:
    """The distances of vectors of length 1 of which these are the products."""
    distances: Distances = np.sqrt(np.maximum(2 - 2 * cosines, 0))
    return distances
