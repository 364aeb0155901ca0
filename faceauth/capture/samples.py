"""Analyse submitted pictures: decode them within limits, find the faces, and judge the quality.

Forms and the backend both use this module, and each picture is analysed once: the backend accepts
the samples of a form without analysing them again.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import cached_property, lru_cache
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
from faceauth.vision.alignment import Box
from faceauth.vision.encoding import Encoder, Encoding
from faceauth.vision.face_mesh import Mesh
from faceauth.vision.head_pose import HeadPose, head_pose
from faceauth.vision.images import MAX_SIDE, UPLOAD_FORMATS, check_size
from faceauth.vision.quality import Quality, measure
from faceauth.vision.visibility import Visibility, visibility

from .turns import Turns

# Beyond these limits, an encoding moves by more than half the distance that separates people. A
# photo of LFW moves by 0.24 when it is darkened to 0.07, and by 0.27 when it is blurred to 0.08.
# The medians at the limits are 0.15 and 0.19.
DARKEST, BRIGHTEST = 0.1, 0.92
SOFTEST = 0.12

WAIT_SECONDS = 5.0

NEAREST = 24  # pixels: a smaller box is no place to look for a face
MAX_FRAME_SIDE = 800  # pixels; larger frames, and pictures to log in with, are scaled down

# Of a frame's shorter side. Faces down to 0.22 are found; those of 0.15 to 0.21 are seen by one
# more scan. What is smaller would cost as much again as all the rest.
NEAR, FAR = 0.25, 0.178
SMALLEST, SMALLEST_FAR = 80.0, 60.0  # pixels: what is smaller would have to be enlarged

Picture = bytes | IO[bytes]
Near = tuple[float, float, float, float]


class Sample:
    """An analysed picture. Its pixels are held in memory only as long as the sample exists.

    Attributes:
        image: RGB, uint8 (height, width, 3).
        faces: The faces that were found, the largest first. In a frame of a conversation, the one
            that was followed is the first.
        quality: The quality of the first face, or None if there is no face.
    """

    def __init__(
        self, image: NDArray[np.uint8], faces: list[Face], mesh: Mesh | None = None
    ) -> None:
        self.image = image
        self.faces = faces
        self.quality: Quality | None = None
        self._quick: Encoding | None = None
        self._mesh = mesh
        if faces:
            self.quality = measure(image, faces[0].box, faces[0].landmarks)

    def __repr__(self) -> str:
        return f"<Sample of {len(self.faces)} face(s)>"

    @property
    def mesh(self) -> Mesh | None:
        """The mesh of the first face, or None if there is no face."""
        if self._mesh is None and self.faces:
            with turn(), metrics.stage("mesh"):
                self._mesh = engine().mesh(self.image, self.faces[0])
        return self._mesh

    @cached_property
    def is_far(self) -> bool:
        """Return True if there is only a face that is too small to be found otherwise."""
        if self.faces:
            return False
        with turn(), metrics.stage("find"):
            return engine().has_face(self.image, max(SMALLEST_FAR, FAR * _side(self.image)))

    @cached_property
    def visibility(self) -> Visibility | None:
        """What may hide the first face, or None if there is no face."""
        if self.mesh is None:
            return None
        return visibility(self.image, self.faces[0].box, self.mesh)

    @cached_property
    def head(self) -> HeadPose | None:
        """The pose of the first face, or None if there is no face."""
        return None if self.mesh is None else head_pose(self.mesh.points)

    def is_alone(self) -> bool:
        """Return True if there is no other face in the whole frame. Those found are added."""
        if len(self.faces) == 1:
            with turn(), metrics.stage("find"):
                found = _find_in_frame(self.image)
            self.faces += [each for each in found if not each.is_same_as(self.faces[0])]
        return len(self.faces) == 1

    def problem(self, *, moving: bool = False) -> errors.FaceError | None:
        """Return the first reason why the picture can't be used, or None if it can.

        Args:
            moving: Ignore the light on the face and its sharpness, because this frame of a
                movement is not compared.
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
        """Return the encoding of the first face, float32 (d,).

        Args:
            quickly: Return the mean over the face and its mirror image, instead of the mean over
                several views of it.
        """
        if not quickly:
            with turn(), metrics.stage("encode"):
                return engine().encode_views(self.image, self.faces[0])
        if self._quick is None:
            with turn(), metrics.stage("encode"):
                self._quick = engine().encode_with_mirror(self.image, self.faces[0])
        return self._quick

    def glance(self) -> Encoding:
        """Return the encoding of one view of the first face, float32 (d,), in half of the time."""
        with turn(), metrics.stage("encode"):
            return engine().encode(self.image, self.faces[0])


Snapshot = Picture | Sample | Iterable[Picture | Sample]


_last: tuple[int, Encoder, Engine] | None = None


def engine() -> Engine:
    """Return this process's engine, created for the current settings."""
    global _last
    threads, encoder = conf.get().THREADS, encoders.encoder()
    current = _last
    if current is None or current[0] != threads or current[1] is not encoder:
        current = _last = threads, encoder, Engine(threads=threads, encoder=encoder)
    return current[2]


def analyse_picture(picture: Picture, *, formats: tuple[str, ...] = UPLOAD_FORMATS) -> Sample:
    """Decode one picture and find its faces, whether it can be used or not.

    Args:
        picture: The content of a file, or the open file.
        formats: The formats to read. Only commands, whose files do not come from strangers, read
            more than the default.

    Raises:
        FaceError: The data is no picture, the picture is too large, or the site is busy.
    """
    return _analyse_whole(read(picture), formats)


def analyse_frame(picture: Picture, near: Near | None = None, *, beside: bool = False) -> Sample:
    """Decode one frame of a conversation and find the face, where it was in the frame before.

    Args:
        picture: The content of a file, or the open file.
        near: The face's box in the frame before (left, top, right, bottom), as shares of the
            frame's width and height. The face at this place is the sample's first.
        beside: Look for other faces as well. Where there is no face in `near`, or no `near`, the
            whole frame is looked over anyway.

    Raises:
        FaceError: The data is no picture, the picture is too large, or the site is busy.
    """
    data = read_frame(picture)
    with turn():
        image = _decode(data, UPLOAD_FORMATS, small=True)
        if near is not None and (box := _pixels(image, near)):
            with metrics.stage("mesh"):
                tracked = engine().track(image, box)
            if tracked:
                face, mesh = tracked
                others = []
                if beside:
                    with metrics.stage("find"):
                        others = engine().faces_beside(image, face)
                return Sample(image, [face, *others], mesh)
        with metrics.stage("find"):
            return Sample(image, _find_in_frame(image))


def analyse_small(picture: Picture) -> Sample:
    """Decode a picture as large as a frame and find its faces, also small ones.

    For pictures that somebody unknown sends to log in.

    Raises:
        FaceError: The data is no picture, the picture is too large, or the site is busy.
    """
    return _analyse_whole(read_frame(picture), UPLOAD_FORMATS, small=True)


def analyse(snapshot: Snapshot, *, small: bool = False) -> list[Sample]:
    """Analyse one or several pictures, each of which must be good enough to be compared.

    Args:
        snapshot: The pictures.
        small: Whether they must be as small as frames, because they come from somebody unknown.

    Raises:
        FaceError: The first problem of the first picture that can't be used.
    """
    found = []
    for sample in _samples(snapshot, analyse_small if small else analyse_picture):
        if problem := sample.problem():
            raise problem
        found.append(sample)
    return found


def encodings(snapshot: Snapshot) -> Encoding:
    """Return the encodings of one or several pictures, float32 (n, d), for enrolment.

    Raises:
        FaceError: See `analyse`.
    """
    return np.stack([sample.encoding() for sample in analyse(snapshot)])


def probe_encodings(snapshot: Snapshot) -> Encoding:
    """Return the encodings of one or several pictures, float32 (n, d), for a comparison.

    They take a fifth of the time of `encodings`, because a visitor is waiting at each login.

    Raises:
        FaceError: See `analyse`.
    """
    return np.stack([sample.encoding(quickly=True) for sample in analyse(snapshot)])


def read(picture: Picture) -> bytes:
    """Return the content of a picture that is not too large by its size and its header.

    Raises:
        TooLarge: It is.
    """
    return _read(picture, conf.get().MAX_SNAPSHOT_BYTES, conf.get().MAX_IMAGE_PIXELS)


def read_frame(picture: Picture) -> bytes:
    """Return the content of a frame that is not too large by its size and its header.

    Raises:
        TooLarge: It is.
    """
    return _read(picture, conf.get().MAX_FRAME_BYTES, conf.get().MAX_FRAME_PIXELS)


def _read(picture: Picture, max_bytes: int, max_pixels: int) -> bytes:
    data = picture if isinstance(picture, bytes) else picture.read(max_bytes + 1)
    if len(data) > max_bytes:
        raise errors.TooLarge()
    try:
        check_size(data, max_pixels)
    except ImageTooLargeError as error:
        raise errors.TooLarge() from error
    return data


def _analyse_whole(data: bytes, formats: tuple[str, ...], *, small: bool = False) -> Sample:
    """Decode a picture and find the faces in all of it: see `Engine.find_faces`."""
    with turn():
        image = _decode(data, formats, small=small)
        with metrics.stage("find"):
            return Sample(image, engine().find_faces(image, quickly=small))


def _find_in_frame(image: NDArray[np.uint8]) -> list[Face]:
    """Find the faces that are large enough for a conversation."""
    return engine().find_faces(image, smallest=max(SMALLEST, NEAR * _side(image)), quickly=True)


def _side(image: NDArray[np.uint8]) -> int:
    """Return the shorter side, in pixels."""
    return min(image.shape[:2])


def _decode(data: bytes, formats: tuple[str, ...], *, small: bool) -> NDArray[np.uint8]:
    """Decode a picture, or one that is as small as a frame.

    Its size is checked again: a file can be made whose header says another one to `check_size`.
    """
    config, side = conf.get(), MAX_FRAME_SIDE if small else MAX_SIDE
    limit = config.MAX_FRAME_PIXELS if small else config.MAX_IMAGE_PIXELS
    try:
        with metrics.stage("decode"):
            return decode_image(data, max_pixels=limit, max_side=side, formats=formats)
    except ImageTooLargeError as error:
        raise errors.TooLarge() from error
    except UnsupportedImageError as error:
        raise errors.UnsupportedType() from error
    except ImageError as error:
        raise errors.BadImage() from error


def _pixels(image: NDArray[np.uint8], near: Near) -> Box | None:
    """Return the box in pixels, or None if there can be no face in it."""
    height, width = image.shape[:2]
    if not all(map(math.isfinite, near)):
        return None
    left, top, right, bottom = (
        round(min(max(share, -1.0), 2.0) * side)
        for share, side in zip(near, (width, height, width, height), strict=True)
    )
    tall = bottom - top >= NEAREST and right - left >= NEAREST
    inside = left < width and top < height and right > 0 and bottom > 0
    return (left, top, right, bottom) if tall and inside else None


def _samples(snapshot: Snapshot, analysed: Callable[[Picture], Sample]) -> Iterator[Sample]:
    """Yield one sample after another, so that nothing after an unusable picture is analysed."""
    single = isinstance(snapshot, (bytes, Sample)) or hasattr(snapshot, "read")
    pictures: Iterable[Picture | Sample] = [snapshot] if single else snapshot  # type: ignore[list-item, assignment]
    empty = True
    for each in pictures:
        empty = False
        yield each if isinstance(each, Sample) else analysed(each)
    if empty:
        raise errors.MissingSnapshot()


def _turns() -> Turns:
    return _turns_of(conf.get().MAX_CONCURRENT_LOOKS or os.cpu_count() or 1)


@lru_cache(maxsize=1)
def _turns_of(count: int) -> Turns:
    return Turns(count)


@contextmanager
def turn() -> Iterator[None]:
    """Wait for a free core, so that many visitors at once neither stall the site nor fill memory.

    What is done meanwhile must not wait for another one. See `turns.of`.

    Raises:
        Busy: No core became free in time.
    """
    turns = _turns()
    with metrics.stage("wait"):
        visitor = turns.acquire(WAIT_SECONDS)
    if visitor is None:
        raise errors.Busy()
    try:
        yield
    finally:
        turns.release(visitor)
