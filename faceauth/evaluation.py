"""How well the networks tell people apart, measured on a folder of ``<person>/<photo>``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .vision import Engine, ImageError, decode_image
from .vision.encoding import Encoding, template

SUFFIXES = {".jpg", ".jpeg", ".png", ".webp"}


class Pair(NamedTuple):
    """Two photos, and whether one person is in both."""

    one: Path
    other: Path
    same: bool


class Accuracy(NamedTuple):
    """The share of pairs told right at the distance where it is highest."""

    share: float
    distance: float
    wrong: int
    undetected: int


def photos(folder: Path) -> list[Path]:
    """All photos of all people in `folder`."""
    return sorted(path for path in folder.glob("*/*") if path.suffix.lower() in SUFFIXES)


def read_pairs(folder: Path, file: Path) -> Iterator[Pair]:
    """The pairs of a file in LFW's format: ``name n m`` for one person, ``name n other m`` for two.

    Raises:
        ValueError: a line is of neither form.
    """

    def photo(name: str, number: str) -> Path:
        return folder / name / f"{name}_{int(number):04d}.jpg"

    for line in file.read_text().splitlines():
        match line.split("\t"):
            case [name, one, other]:
                yield Pair(photo(name, one), photo(name, other), True)
            case [name, one, other_name, other]:
                yield Pair(photo(name, one), photo(other_name, other), False)
            case [count] | [count, _] if count.isdigit():
                continue  # the heading: how many pairs follow
            case [""]:
                continue
            case _:
                raise ValueError(f"{file.name}: not a pair: {line!r}")


def encode_photo(path: Path) -> Encoding | None:
    """The template float32 (128,) of the face nearest the photo's middle; None where there is no
    face, or no photo.

    LFW names a photo after the person in its middle; others may stand around.
    """
    try:
        image = decode_image(path.read_bytes())
    except (ImageError, OSError):
        return None
    faces = _engine().find_faces(image)
    if not faces:
        return None
    middle = np.array(image.shape[1::-1]) / 2
    face = min(
        faces, key=lambda each: np.linalg.norm(np.reshape(each.box, (2, 2)).mean(0) - middle)
    )
    return template(_engine().encode_with_mirror(image, face)[None])


def accuracy(pairs: Sequence[Pair], templates: Mapping[Path, Encoding | None]) -> Accuracy:
    """At the best distance for these pairs. A pair with a face undetected counts as wrong."""
    distances, same = [], []
    for pair in pairs:
        one, other = templates[pair.one], templates[pair.other]
        if one is not None and other is not None:
            distances.append(float(np.linalg.norm(one - other)))
            same.append(pair.same)
    right, distance = _best(np.array(distances), np.array(same))
    wrong, undetected = len(pairs) - right, len(pairs) - len(distances)
    return Accuracy(right / len(pairs), distance, wrong, undetected)


def _best(distances: NDArray[np.float64], same: NDArray[np.bool_]) -> tuple[int, float]:
    """The most decisions that one distance gets right, and that distance."""
    order = np.argsort(distances)
    # With the distance behind the n-th pair: the same up to there, and the others beyond.
    right = np.cumsum(same[order]) + (~same).sum() - np.cumsum(~same[order])
    best = int(right.argmax())
    return int(right[best]), float(distances[order][best])


@cache
def _engine() -> Engine:
    return Engine()
