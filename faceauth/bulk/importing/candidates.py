"""The people of a source of encodings, judged by the same rules as their photos would be."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from faceauth.bulk import photos
from faceauth.bulk.manifests import Manifest, Unused
from faceauth.bulk.photos import Photo
from faceauth.recognition import encoders
from faceauth.recognition.matching import cohort
from faceauth.vision.encoding import DlibEncoder, Encoding

from . import vectors
from .exceptions import UnusableEncoding
from .layouts import StoredEncoding

# The cosine between an encoding and the mean of all faces. dlib's encodings of 15,490 photos of
# LFW have 0.85 to 0.97. Encodings of other networks have a random one: below 0.45.
MIN_COSINE = 0.6


class ImportedPeople:
    """Everything that a source holds, by person and by place.

    Attributes:
        manifest: The people, with the places of their encodings in place of photos.
    """

    def __init__(self, encodings: Iterable[StoredEncoding]) -> None:
        self.manifest = Manifest()
        self._encodings: dict[Path, StoredEncoding] = {}
        for each in encodings:
            if not each.username:
                self.manifest.unused.append(Unused(each.place, "unnamed"))
                continue
            place = Path(each.place)
            self._encodings[place] = each
            self.manifest.person(each.username).photos.append(place)

    def select(self, places: Sequence[Path], *, limit: int) -> list[Photo]:
        """Return the encodings of one person, of which at most `limit` are to be used."""
        return photos.select(places, self._read, limit=limit)

    def _read(self, place: Path) -> Photo:
        try:
            return Photo(place, encoding=self._encoding(place))
        except UnusableEncoding as error:
            return Photo(place, error.reason, error.details)

    def _encoding(self, place: Path) -> Encoding:
        numbers = vectors.to_vector(self._encodings[place].value, encoders.encoder().size)
        # A number that is finite as float64 need not be finite as float32.
        with np.errstate(over="ignore", under="ignore"):
            encoding = numbers.astype(np.float32)
        if not np.isfinite(encoding).all() or not encoding.any():
            raise UnusableEncoding("not_finite")
        if encoders.encoder().name == DlibEncoder.name and not _is_from_dlib(numbers):
            raise UnusableEncoding("another_encoder")
        return encoding


def _is_from_dlib(numbers: vectors.Vector) -> bool:
    """Return True if an encoding, float64 (128,), lies where dlib's encodings do."""
    mean = cohort().mean(axis=0)
    length = np.linalg.norm(numbers) * np.linalg.norm(mean)
    return float(numbers @ mean) >= MIN_COSINE * float(length)
