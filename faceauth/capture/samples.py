"""What a submitted picture shows: read, bounded, looked at and judged.

Both forms and backend come here, and each picture is looked at once: what a form has looked at,
the backend takes as it is.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from threading import BoundedSemaphore
from typing import IO

import numpy as np
from numpy.typing import NDArray

from faceauth import conf, errors, metrics
from faceauth.recognition import encoders
from faceauth.vision import (
    Engine,
    Face,
    ImageError,
    ImageTooLargeError,
    UnsupportedImageError,
    decode_image,
)
from faceauth.vision.encoding import Encoder, Encoding
from faceauth.vision.quality import Quality, measure

# Beyond these an encoding moves by more than half the distance that tells people apart: a photo
# of LFW by 0.24 when darkened to 0.07, by 0.27 when blurred to 0.08 (medians 0.15 and 0.19 at the
# bounds).
DARKEST, BRIGHTEST = 0.1, 0.92
SOFTEST = 0.12

WAIT_SECONDS = 5.0

Picture = bytes | IO[bytes]


class Sample:
    """One picture and what was seen in it. Its pixels go when it goes."""

    def __init__(self, image: NDArray[np.uint8], faces: list[Face]) -> None:
        self.image = image
        self.faces = faces
        self.quality: Quality | None = None
        self._quick: Encoding | None = None
        if faces:
            self.quality = measure(image, faces[0].box, faces[0].landmarks)

    def __repr__(self) -> str:
        return f"<Sample at {len(self.faces)} face(s)>"

    def problem(self, *, moving: bool = False) -> errors.FaceError | None:
        """Why the picture cannot be used, the first thing to mend; None where it can.

        moving: the light on the face and its sharpness do not matter: it is not compared.
        """
        if self.quality is None:
            return errors.NoFace()
        if len(self.faces) > 1:
            return errors.SeveralFaces()
        if self.quality.head_size < conf.get().MIN_FACE_SIZE:
            return errors.TooSmall()
        if moving:
            return None
        if self.quality.luminance_mean < DARKEST:
            return errors.TooDark()
        if self.quality.luminance_mean > BRIGHTEST:
            return errors.TooBright()
        if self.quality.sharpness < SOFTEST:
            return errors.Blurred()
        return None

    def encoding(self, *, quickly: bool = False) -> Encoding:
        """The encoding float32 (d,) of the largest face: the mean over several views of it, or
        `quickly` over itself and its mirror image alone.
        """
        if not quickly:
            with _slot(), metrics.stage("encode"):
                return engine().encode_views(self.image, self.faces[0])
        if self._quick is None:
            with _slot(), metrics.stage("encode"):
                self._quick = engine().encode_with_mirror(self.image, self.faces[0])
        return self._quick


Snapshot = Picture | Sample | Iterable[Picture | Sample]


_last: tuple[int, Encoder, Engine] | None = None


def engine() -> Engine:
    """This process's engine."""
    global _last
    threads, encoder = conf.get().THREADS, encoders.encoder()
    now = _last
    if now is None or now[0] != threads or now[1] is not encoder:
        now = _last = threads, encoder, Engine(threads=threads, encoder=encoder)
    return now[2]


def analyse_picture(picture: Picture) -> Sample:
    """Decode a picture and find its faces, whatever they are like.

    Raises:
        FaceError: it is no picture, it is too large, or the site is busy.
    """
    settings = conf.get()
    data = picture if isinstance(picture, bytes) else picture.read(settings.MAX_SNAPSHOT_BYTES + 1)
    if len(data) > settings.MAX_SNAPSHOT_BYTES:
        raise errors.TooLarge()
    with _slot():
        try:
            with metrics.stage("decode"):
                image = decode_image(data, max_pixels=settings.MAX_IMAGE_PIXELS)
        except ImageTooLargeError as error:
            raise errors.TooLarge() from error
        except UnsupportedImageError as error:
            raise errors.UnsupportedType() from error
        except ImageError as error:
            raise errors.BadImage() from error
        with metrics.stage("find"):
            faces = engine().find_faces(image)
        return Sample(image, faces)


def analyse(snapshot: Snapshot) -> list[Sample]:
    """One or several pictures, each good enough to be compared.

    Raises:
        FaceError: the first thing that is wrong with one of them.
    """
    seen = []
    for one in _seen(snapshot):
        if problem := one.problem():
            raise problem
        seen.append(one)
    return seen


def analyse_movement(snapshot: Snapshot) -> list[Sample]:
    """The frames of a movement, of which the first is good enough to be compared. The others may
    be dark or blurred; those in which no face was found are left out.

    Raises:
        FaceError: the first thing that is wrong with one of them.
    """
    seen: list[Sample] = []
    for one in _seen(snapshot):
        if seen and not one.faces:
            continue
        if problem := one.problem(moving=bool(seen)):
            raise problem
        seen.append(one)
    return seen


def encodings(snapshot: Snapshot) -> Encoding:
    """The encodings of one or several pictures, float32 (n, d), to be enrolled.

    Raises:
        FaceError: as `analyse` does.
    """
    return np.stack([one.encoding() for one in analyse(snapshot)])


def probe_encodings(snapshot: Snapshot) -> Encoding:
    """The encodings of one or several pictures, float32 (n, d), to be compared.

    Somebody waits for them: they cost a fifth of those that are enrolled once.

    Raises:
        FaceError: as `analyse` does.
    """
    return np.stack([one.encoding(quickly=True) for one in analyse(snapshot)])


def _seen(snapshot: Snapshot) -> Iterator[Sample]:
    """One after another: what comes after a picture that cannot be used is not worth a look."""
    single = isinstance(snapshot, (bytes, Sample)) or hasattr(snapshot, "read")
    pictures: Iterable[Picture | Sample] = [snapshot] if single else snapshot  # type: ignore[list-item, assignment]
    missing = True
    for each in pictures:
        missing = False
        yield each if isinstance(each, Sample) else analyse_picture(each)
    if missing:
        raise errors.MissingSnapshot()


def _slots() -> BoundedSemaphore:
    return _semaphore(conf.get().MAX_CONCURRENT_LOOKS or os.cpu_count() or 1)


@lru_cache(maxsize=1)
def _semaphore(count: int) -> BoundedSemaphore:
    return BoundedSemaphore(count)


@contextmanager
def _slot() -> Iterator[None]:
    """Wait for a free core, so that a crowd slows nobody to a halt and fills no memory."""
    slots = _slots()
    with metrics.stage("wait"):
        free = slots.acquire(timeout=WAIT_SECONDS)
    if not free:
        raise errors.Busy()
    try:
        yield
    finally:
        slots.release()
