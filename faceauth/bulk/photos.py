"""Select the photos of a person that are good enough to enrol, and say why others are not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import chain, combinations
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from faceauth import conf, enrolment, errors
from faceauth.capture import samples
from faceauth.vision.encoding import Encoding
from faceauth.vision.images import FORMATS
from faceauth.vision.quality import Quality

from . import annotate


class Photo(NamedTuple):
    """A photo and the result of its analysis.

    Attributes:
        path: The file.
        reason: Why it is not used, a key of `messages.PHOTO_REASONS`; "" if it is used.
        details: The values for the placeholders of that message.
        encoding: float32 (d,), if it is used.
        quality: The quality of the largest face, if there is one.
        thumbnail: A JPEG, if thumbnails were asked for and the picture could be read.
    """

    path: Path
    reason: str = ""
    details: dict[str, Any] = {}
    encoding: Encoding | None = None
    quality: Quality | None = None
    thumbnail: bytes = b""


def examine(paths: Sequence[Path], *, limit: int, thumbnails: bool = False) -> list[Photo]:
    """Analyse the photos of one person until `limit` of them are good enough."""
    return select(paths, partial(_examine, thumbnails=thumbnails), limit=limit)


def select(paths: Sequence[Path], read: Callable[[Path], Photo], *, limit: int) -> list[Photo]:
    """Return one person's photos, at most `limit` of them with an encoding.

    Copies of another photo and photos of somebody else are marked as not used.

    Args:
        paths: The files, or places of encodings, in order of preference.
        read: A function that analyses one of them.
        limit: The number of photos to use.
    """
    photos: list[Photo] = []
    for path in paths:
        selected = used(photos)
        if len(selected) == limit:
            photos.append(Photo(path, "enough", {"limit": limit}))
        else:
            photos.append(_mark_copy(read(path), selected))
    return _mark_other_people(photos)


def used(photos: Sequence[Photo]) -> list[Photo]:
    """Return the photos that have an encoding."""
    return [photo for photo in photos if photo.encoding is not None]


def encodings(photos: Sequence[Photo]) -> Encoding:
    """Return the encodings of the used photos, at least one: float32 (n, d)."""
    return np.stack([photo.encoding for photo in photos if photo.encoding is not None])


def _examine(path: Path, thumbnails: bool) -> Photo:
    """Analyse a photo by the rules for pictures from the camera."""
    try:
        with path.open("rb") as file:
            sample = samples.analyse_picture(file, formats=FORMATS)
    except errors.FaceError as error:
        return Photo(path, error.default_code)
    except OSError:
        return Photo(path, "unreadable")
    photo = Photo(path, quality=sample.quality)
    if thumbnails:
        photo = photo._replace(thumbnail=annotate.thumbnail(sample.image, sample.faces))
    if problem := sample.problem():
        return photo._replace(reason=problem.default_code, details=_details(sample))
    return photo._replace(encoding=sample.encoding())


def _mark_copy(photo: Photo, selected: Sequence[Photo]) -> Photo:
    """Return the photo, marked if it is a copy of one that is selected already."""
    if photo.encoding is None:
        return photo
    try:
        for other in selected:
            enrolment.check_no_copies(encodings([photo, other]))
    except errors.SamePicture as error:
        return photo._replace(reason=error.default_code, encoding=None)
    return photo


def _details(sample: samples.Sample) -> dict[str, Any]:
    """Return the values for the placeholders in `messages.PHOTO_REASONS`."""
    height = sample.quality.head_size if sample.quality else 0
    return {"faces": len(sample.faces), "height": height, "minimum": conf.get().MIN_FACE_SIZE}


def _mark_other_people(photos: list[Photo]) -> list[Photo]:
    """Return the photos; those are marked that show somebody else than most of them.

    If no more than half of them show one person, all of them are marked.
    """
    usable = [index for index, photo in enumerate(photos) if photo.encoding is not None]
    kept = list(usable)
    while strangers := Counter(chain(*_pairs_of_different_people(photos, kept))):
        kept.remove(max(kept, key=lambda index: strangers[index]))
    if len(kept) * 2 <= len(usable):
        kept = []
    for index in set(usable) - set(kept):
        photos[index] = photos[index]._replace(reason="not_same_person", encoding=None)
    return photos


def _pairs_of_different_people(
    photos: Sequence[Photo], indexes: Sequence[int]
) -> Iterator[tuple[int, int]]:
    """Yield the pairs, among the photos with these indexes, that do not show the same person."""
    for one, other in combinations(indexes, 2):
        try:
            enrolment.check_same_person(encodings([photos[one], photos[other]]))
        except errors.NotSamePerson:
            yield one, other
