"""What somebody's photos show: those that the site itself would take, and why not the others."""

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
from faceauth.vision.quality import Quality

from . import annotate


class Photo(NamedTuple):
    """A photo and what came of it.

    reason: why it is not used, as `reasons` has it, with details; "" where it is.
    encoding: float32 (n,), where it is used.
    quality: where a face was found.
    thumbnail: a JPEG, where there was a picture and thumbnails were asked for.
    """

    path: Path
    reason: str = ""
    details: dict[str, Any] = {}
    encoding: Encoding | None = None
    quality: Quality | None = None
    thumbnail: bytes = b""


def gather(paths: Sequence[Path], *, most: int, thumbnails: bool = False) -> list[Photo]:
    """Photos that are said to be of one person, looked at until there are so many to use."""
    return judged(paths, partial(_look, thumbnails=thumbnails), most=most)


def judged(paths: Sequence[Path], look: Callable[[Path], Photo], *, most: int) -> list[Photo]:
    """What `look` finds in these places, said to be of one person, until there are so many to use:
    those that are copies of another, or of somebody else, are not.
    """
    photos: list[Photo] = []
    for path in paths:
        taken = used(photos)
        if len(taken) == most:
            photos.append(Photo(path, "enough", {"most": most}))
        else:
            photos.append(_unless_copied(look(path), taken))
    return _of_one_person(photos)


def used(photos: Sequence[Photo]) -> list[Photo]:
    """Those that have an encoding."""
    return [photo for photo in photos if photo.encoding is not None]


def encodings(photos: Sequence[Photo]) -> Encoding:
    """Those of the photos that are used, of which there are some: float32 (n, 128)."""
    return np.stack([photo.encoding for photo in photos if photo.encoding is not None])


def _look(path: Path, thumbnails: bool) -> Photo:
    """A photo, judged as the site judges what the camera sends."""
    try:
        with path.open("rb") as file:
            sample = samples.analyse_picture(file)
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


def _unless_copied(photo: Photo, taken: Sequence[Photo]) -> Photo:
    """The photo, marked where it is a copy of one that is taken already."""
    if photo.encoding is None:
        return photo
    try:
        for other in taken:
            enrolment.check_no_copies(encodings([photo, other]))
    except errors.SamePicture as error:
        return photo._replace(reason=error.default_code, encoding=None)
    return photo


def _details(sample: samples.Sample) -> dict[str, Any]:
    """What `reasons` may say of a picture."""
    height = sample.quality.head_size if sample.quality else 0
    return {"faces": len(sample.faces), "height": height, "least": conf.get().MIN_FACE_SIZE}


def _of_one_person(photos: list[Photo]) -> list[Photo]:
    """The photos, those marked that show somebody else than most of them; all where no more than
    half of them show one person.
    """
    usable = [index for index, photo in enumerate(photos) if photo.encoding is not None]
    kept = list(usable)
    while strangers := Counter(chain(*_apart(photos, kept))):
        kept.remove(max(kept, key=lambda index: strangers[index]))
    if len(kept) * 2 <= len(usable):
        kept = []
    for index in set(usable) - set(kept):
        photos[index] = photos[index]._replace(reason="not_same_person", encoding=None)
    return photos


def _apart(photos: Sequence[Photo], which: Sequence[int]) -> Iterator[tuple[int, int]]:
    """The pairs, of those photos, that do not show one person."""
    for one, other in combinations(which, 2):
        try:
            enrolment.check_same_person(encodings([photos[one], photos[other]]))
        except errors.NotSamePerson:
            yield one, other
