"""Measure accuracy by LFW's protocol: pairs of photos, of one person or of two."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from faceauth.recognition.matching import distance

from .dataset import Encoded

FOLDS = 10


class Pair(NamedTuple):
    """Two photos.

    Attributes:
        one: The first file.
        other: The second file.
        same: Both photos are of one person.
    """

    one: Path
    other: Path
    same: bool


class Accuracy(NamedTuple):
    """Shares of pairs classified correctly; a pair with an undetected face counts as wrong.

    Attributes:
        folds: The share in one tenth of the pairs, at the distance that is best for the other nine
            tenths: the mean over all ten folds.
        error: The standard error of `folds`.
        best: The share in all pairs, at the distance that is best for them.
        distance: That distance.
        undetected: The number of pairs with an undetected face.
    """

    folds: float
    error: float
    best: float
    distance: float
    undetected: int


def read_pairs(folder: Path, file: Path) -> list[Pair]:
    """Read the pairs in a file of LFW's format.

    A line is ``name n m`` for one person and ``name n other m`` for two, separated by tabs.

    Args:
        folder: Contains the photos, as ``name/name_0001.jpg``.
        file: The pairs.

    Raises:
        OSError: The file cannot be read.
        ValueError: A line has neither form, or there is no pair.
    """

    def photo(name: str, number: str) -> Path:
        return folder / name / f"{name}_{int(number):04d}.jpg"

    pairs = []
    for line in file.read_text().splitlines():
        match line.split("\t"):
            case [name, one, other]:
                pairs.append(Pair(photo(name, one), photo(name, other), True))
            case [name, one, other_name, other]:
                pairs.append(Pair(photo(name, one), photo(other_name, other), False))
            case [count] | [count, _] if count.isdigit():
                continue  # the heading: the number of pairs
            case [""]:
                continue
            case _:
                raise ValueError(f"{file.name}: not a pair: {line!r}")
    if not pairs:
        raise ValueError(f"{file.name} has no pairs")
    return pairs


def accuracy(pairs: Sequence[Pair], photos: Mapping[Path, Encoded | None]) -> Accuracy:
    """Measure how many pairs are classified correctly, with both photos encoded as templates.

    Args:
        pairs: The pairs.
        photos: The encodings of all photos; None for an undetected face.

    Raises:
        KeyError: A photo of a pair is not among the photos.
    """
    distances, same = [], []
    for pair in pairs:
        one, other = photos[pair.one], photos[pair.other]
        same.append(pair.same)
        if one is None or other is None:
            # Never correct, at any distance.
            distances.append(np.inf if pair.same else -np.inf)
        else:
            distances.append(distance(one.views[None], other.views[None]))
    measured, genuine = np.array(distances), np.array(same)
    # Each fold has equal numbers of either kind, in the order of the file.
    fold = np.empty(len(pairs), np.int64)
    for kind in (genuine, ~genuine):
        fold[kind] = np.arange(kind.sum()) * FOLDS // max(kind.sum(), 1)
    used = [fold == each for each in range(FOLDS) if (fold == each).any()]
    shares = [_share(measured, genuine, each) for each in used]
    limit = _best(measured, genuine)
    return Accuracy(
        folds=float(np.mean(shares)),
        error=float(np.std(shares, ddof=1) / np.sqrt(len(shares))) if len(shares) > 1 else 0.0,
        best=float(((measured <= limit) == genuine).mean()),
        distance=limit,
        undetected=int(np.isinf(measured).sum()),
    )


def _share(
    distances: NDArray[np.float64], same: NDArray[np.bool_], tried: NDArray[np.bool_]
) -> float:
    """Return the share of correct pairs among `tried`, at the best distance for the others."""
    others = ~tried if not tried.all() else tried
    limit = _best(distances[others], same[others])
    return float(((distances[tried] <= limit) == same[tried]).mean())


def _best(distances: NDArray[np.float64], same: NDArray[np.bool_]) -> float:
    """Return the best distance: halfway from the last pair it accepts to the next one."""
    order = np.argsort(distances)
    right = np.cumsum(same[order]) + (~same).sum() - np.cumsum(~same[order])
    best = int(right.argmax())
    following = order[min(best + 1, len(order) - 1)]
    return float((distances[order][best] + distances[following]) / 2)
