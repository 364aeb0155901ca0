"""Encodings that were kept elsewhere, judged as those of photos are: see `folders.photos`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from faceauth.bulk import photos
from faceauth.bulk.manifests import Roster, Unused
from faceauth.bulk.photos import Photo
from faceauth.recognition import encoders
from faceauth.recognition.matching import cohort
from faceauth.vision.encoding import DlibEncoder, Encoding

from . import vectors
from .exceptions import Unusable
from .layouts import Item

# The cosine to the mean of all faces. dlib's encodings of 15,490 photos of LFW have 0.85 to 0.97
# with it, those of other networks what they have by chance: below 0.45.
LEAST_ALIKE = 0.6


class Kept:
    """Everything that a source holds, by person and by place."""

    def __init__(self, items: Iterable[Item]) -> None:
        self.roster = Roster()
        self._items: dict[Path, Item] = {}
        for item in items:
            place = Path(item.place)
            if not item.username:
                self.roster.unused.append(Unused(item.place, "unnamed"))
                continue
            self._items[place] = item
            self.roster.entry(item.username).photos.append(place)

    def gather(self, places: Sequence[Path], *, most: int) -> list[Photo]:
        """What is in these places, said to be of one person, until there are so many to use."""
        return photos.judged(places, self._read, most=most)

    def _read(self, place: Path) -> Photo:
        try:
            return Photo(place, encoding=self._encoding(place))
        except Unusable as error:
            return Photo(place, error.reason, error.details)

    def _encoding(self, place: Path) -> Encoding:
        numbers = vectors.vector(self._items[place].value, encoders.encoder().size)
        # What is finite as float64 need not be as float32.
        with np.errstate(over="ignore", under="ignore"):
            encoding = numbers.astype(np.float32)
        if not np.isfinite(encoding).all() or not encoding.any():
            raise Unusable("not_finite")
        if encoders.encoder().name == DlibEncoder.name and not _is_dlibs(numbers):
            raise Unusable("another_encoder")
        return encoding


def _is_dlibs(numbers: vectors.Vector) -> bool:
    """Whether an encoding, float64 (128,), lies where dlib's do."""
    middle = cohort().mean(axis=0)
    length = np.linalg.norm(numbers) * np.linalg.norm(middle)
    return float(numbers @ middle) >= LEAST_ALIKE * float(length)
