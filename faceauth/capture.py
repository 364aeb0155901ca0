"""What a submitted picture shows: read, bounded, looked at and judged.

Both forms and backend come here, and each picture is looked at once: what a form has looked at,
the backend takes as it is.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from threading import BoundedSemaphore
from typing import IO

import numpy as np
from numpy.typing import NDArray

from . import conf, errors
from .vision import (
    Engine,
    Face,
    ImageError,
    ImageTooLargeError,
    UnsupportedImageError,
    decode_image,
)
from .vision.encoding import Encoding
from .vision.quality import Quality, measure

# Beyond these an encoding moves by more than half the distance that tells people apart: a photo
# of LFW by 0.24 when darkened to 0.07, by 0.27 when blurred to 0.08 (medians 0.15 and 0.19 at the
# bounds).
DARKEST, BRIGHTEST = 0.1, 0.92
SOFTEST = 0.12

WAIT_SECONDS = 5.0

Picture = bytes | IO[bytes]


class Look:
    """One picture and what was seen in it. Its pixels go when it goes."""

    def __init__(self, image: NDArray[np.uint8], faces: list[Face]) -> None:
        self.image = image
        self.faces = faces
        self.quality: Quality | None = None
        if faces:
            self.quality = measure(image, faces[0].box, faces[0].landmarks)

    def __repr__(self) -> str:
        return f"<Look at {len(self.faces)} face(s)>"

    def problem(self) -> errors.FaceError | None:
        """Why the picture cannot be used, the first thing to mend; None where it can."""
        if self.quality is None:
            return errors.NoFace()
        if len(self.faces) > 1:
            return errors.SeveralFaces()
        if self.quality.head_size < conf.get().MIN_FACE_SIZE:
            return errors.TooSmall()
        if self.quality.luminance_mean < DARKEST:
            return errors.TooDark()
        if self.quality.luminance_mean > BRIGHTEST:
            return errors.TooBright()
        if self.quality.sharpness < SOFTEST:
            return errors.Blurred()
        return None

    def encoding(self, *, quickly: bool = False) -> Encoding:
        """The encoding float32 (128,) of the largest face: the mean over several views of it, or
        `quickly` over itself and its mirror image alone.
        """
        encode = engine().encode_with_mirror if quickly else engine().encode_views
        with _turn():
            return encode(self.image, self.faces[0])


Snapshot = Picture | Look | Iterable[Picture | Look]


@cache
def engine() -> Engine:
    """This process's engine."""
    return Engine(threads=conf.get().THREADS)


def look(picture: Picture) -> Look:
    """Decode a picture and find its faces, whatever they are like.

    Raises:
        FaceError: it is no picture, it is too large, or the site is busy.
    """
    settings = conf.get()
    data = picture if isinstance(picture, bytes) else picture.read(settings.MAX_SNAPSHOT_BYTES + 1)
    if len(data) > settings.MAX_SNAPSHOT_BYTES:
        raise errors.TooLarge()
    with _turn():
        try:
            image = decode_image(data, max_pixels=settings.MAX_IMAGE_PIXELS)
        except ImageTooLargeError as error:
            raise errors.TooLarge() from error
        except UnsupportedImageError as error:
            raise errors.UnsupportedType() from error
        except ImageError as error:
            raise errors.BadImage() from error
        return Look(image, engine().find_faces(image))


def looks(snapshot: Snapshot) -> list[Look]:
    """One or several pictures, each good enough to be compared.

    Raises:
        FaceError: the first thing that is wrong with one of them.
    """
    single = isinstance(snapshot, (bytes, Look)) or hasattr(snapshot, "read")
    pictures: Iterable[Picture | Look] = [snapshot] if single else snapshot  # type: ignore[list-item, assignment]
    seen = []
    for each in pictures:
        one = each if isinstance(each, Look) else look(each)
        if problem := one.problem():
            raise problem
        seen.append(one)
    if not seen:
        raise errors.MissingSnapshot()
    return seen


def encodings(snapshot: Snapshot) -> Encoding:
    """The encodings of one or several pictures, float32 (n, 128), to be enrolled.

    Raises:
        FaceError: as `looks` does.
    """
    return np.stack([one.encoding() for one in looks(snapshot)])


def probe_encodings(snapshot: Snapshot) -> Encoding:
    """The encodings of one or several pictures, float32 (n, 128), to be compared.

    Somebody waits for them: they cost a fifth of those that are enrolled once.

    Raises:
        FaceError: as `looks` does.
    """
    return np.stack([one.encoding(quickly=True) for one in looks(snapshot)])


@cache
def _turns() -> BoundedSemaphore:
    return BoundedSemaphore(conf.get().MAX_CONCURRENT_LOOKS or os.cpu_count() or 1)


@contextmanager
def _turn() -> Iterator[None]:
    """Wait for a free core, so that a crowd slows nobody to a halt and fills no memory."""
    if not _turns().acquire(timeout=WAIT_SECONDS):
        raise errors.Busy()
    try:
        yield
    finally:
        _turns().release()
