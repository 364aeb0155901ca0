"""Measure encoding with one thread, picture by picture, against face_recognition."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial
from io import BytesIO
from statistics import median
from typing import Any, NamedTuple

import cv2

from faceauth.vision import Engine, decode_image
from tests.support import oracle

ROUNDS = 3


class Row(NamedTuple):
    """A row of the table.

    Attributes:
        name: The work that is measured.
        theirs: face_recognition's median in milliseconds.
        ours: faceauth's median in milliseconds.
        target: The ratio that we aim for, on a processor with AVX-512.
    """

    name: str
    theirs: float
    ours: float
    target: int

    @property
    def ratio(self) -> float:
        """The number of times that faceauth is faster."""
        return self.theirs / self.ours


def timed(work: Callable[[], Any]) -> float:
    """Return the time that the work takes in milliseconds."""
    start = time.perf_counter()
    work()
    return (time.perf_counter() - start) * 1000


def in_turn(*works: Callable[[bytes], Any], pictures: Sequence[bytes]) -> list[float]:
    """Return each function's median over all pictures, in milliseconds.

    The functions take turns, so that a machine that slows down slows all of them down. In its turn,
    each goes through all pictures, like a server that does nothing else.
    """
    times: list[list[float]] = [[] for _ in works]
    for _ in range(ROUNDS):
        for work, measured in zip(works, times, strict=True):
            measured += [timed(partial(work, each)) for each in pictures]
    return [median(each) for each in times]


def compare(pictures: Sequence[bytes], *, with_cnn: bool = True) -> list[Row]:
    """Compare encoding alone, and everything from the JPEG to the encoding."""
    cv2.setNumThreads(1)
    engine = Engine(threads=1)
    face_recognition = oracle.load()
    images = {each: decode_image(each) for each in pictures}
    faces = {each: engine.find_faces(images[each])[0] for each in pictures}

    def encode(picture: bytes) -> None:
        engine.encode(images[picture], faces[picture])

    def encode_theirs(picture: bytes) -> None:
        left, top, right, bottom = faces[picture].box
        box = [(top, right, bottom, left)]
        face_recognition.face_encodings(images[picture], known_face_locations=box)

    def find_and_encode(picture: bytes) -> None:
        image = decode_image(picture)
        engine.encode(image, engine.find_faces(image)[0])

    def find_and_encode_theirs(picture: bytes) -> None:
        face_recognition.face_encodings(face_recognition.load_image_file(BytesIO(picture)))

    def find_and_encode_theirs_cnn(picture: bytes) -> None:
        image = face_recognition.load_image_file(BytesIO(picture))
        boxes = face_recognition.face_locations(image, model="cnn")
        face_recognition.face_encodings(image, known_face_locations=boxes)

    ours, theirs = in_turn(encode, encode_theirs, pictures=pictures)
    rows = [Row("encode one face", theirs, ours, 22)]
    find = "find and encode, from the JPEG"
    ours, theirs = in_turn(find_and_encode, find_and_encode_theirs, pictures=pictures)
    rows.append(Row(f"{find}; face_recognition's defaults", theirs, ours, 18))
    if with_cnn:
        theirs = median(timed(partial(find_and_encode_theirs_cnn, each)) for each in pictures)
        rows.append(Row(f"{find}; its CNN model", theirs, ours, 60))
    return rows
