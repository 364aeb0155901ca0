"""LFW's protocol: pairs of photos, of one person or of two."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from django.utils.translation import gettext as _
from numpy.typing import NDArray

from faceauth.recognition.matching import distance

from .dataset import Encoded

FOLDS = 10


class Pair(NamedTuple):
    """Two photos, and whether one person is in both."""

    one: Path
    other: Path
    same: bool


class Accuracy(NamedTuple):
    """Shares of pairs told right; a pair with a face undetected counts as wrong.

    folds: at the distance that is best for nine tenths of the pairs, on the last tenth; the mean
        of all ten, and its standard error.
    best: at the distance that is best for all of them.
    """

    folds: float
    error: float
    best: float
    distance: float
    undetected: int


def read_pairs(folder: Path, file: Path) -> list[Pair]:
    """The pairs of a file in LFW's format: ``name n m`` for one person, ``name n other m`` for two.

    Raises:
        ValueError: a line is of neither form, or there is none.
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
                continue  # the heading: how many pairs follow
            case [""]:
                continue
            case _:
                message = _("%(file)s: not a pair: %(line)r")
                raise ValueError(message % {"file": file.name, "line": line})
    if not pairs:
        raise ValueError(_("%(file)s has no pairs") % {"file": file.name})
    return pairs


def accuracy(pairs: Sequence[Pair], photos: Mapping[Path, Encoded | None]) -> Accuracy:
    """How many of the pairs are told right, both photos encoded as if they were enrolled.

    Raises:
        KeyError: a pair's photo is not among the photos.
    """
    distances, same = [], []
    for pair in pairs:
        one, other = photos[pair.one], photos[pair.other]
        same.append(pair.same)
        if one is None or other is None:
            # Never told right, whatever the distance.
            distances.append(np.inf if pair.same else -np.inf)
        else:
            distances.append(distance(one.views[None], other.views[None]))
    apart, alike = np.array(distances), np.array(same)
    # As many of either kind in each fold, in the file's order.
    fold = np.empty(len(pairs), np.int64)
    for kind in (alike, ~alike):
        fold[kind] = np.arange(kind.sum()) * FOLDS // max(kind.sum(), 1)
    shares = [_share(apart, alike, fold == each) for each in range(FOLDS) if (fold == each).any()]
    limit = _best(apart, alike)
    return Accuracy(
        folds=float(np.mean(shares)),
        error=float(np.std(shares, ddof=1) / np.sqrt(len(shares))) if len(shares) > 1 else 0.0,
        best=float(((apart <= limit) == alike).mean()),
        distance=limit,
        undetected=int(np.isinf(apart).sum()),
    )


def _share(
    distances: NDArray[np.float64], same: NDArray[np.bool_], tried: NDArray[np.bool_]
) -> float:
    """Of the pairs `tried`, those told right at the distance that is best for the others."""
    others = ~tried if not tried.all() else tried
    limit = _best(distances[others], same[others])
    return float(((distances[tried] <= limit) == same[tried]).mean())


def _best(distances: NDArray[np.float64], same: NDArray[np.bool_]) -> float:
    """The distance that tells most pairs right, in the middle to the next one that would not."""
    order = np.argsort(distances)
    right = np.cumsum(same[order]) + (~same).sum() - np.cumsum(~same[order])
    best = int(right.argmax())
    following = order[min(best + 1, len(order) - 1)]
    return float((distances[order][best] + distances[following]) / 2)
