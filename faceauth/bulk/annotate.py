"""Faces marked in pictures: green where it is known whose they are, red where not."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from io import BytesIO
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow

from faceauth.vision import Face
from faceauth.vision.alignment import Box

Image = NDArray[np.uint8]

# RGB. White is legible on both of the first.
GREEN, RED, WHITE, BLACK = (0, 118, 60), (196, 30, 30), (255, 255, 255), (0, 0, 0)

# Of the face's size, in pixels.
LETTERS = 0.2
LEAST_LETTERS, MOST_LETTERS = 11, 60
WEIGHT = 500

THUMBNAIL = 240  # pixels, the longer side


class Mark(NamedTuple):
    """A face to be marked.

    box: (left, top, right, bottom) in pixels.
    label: what is written to it; "" for nothing.
    """

    box: Box
    good: bool
    label: str = ""


def draw(image: Image, marks: Iterable[Mark]) -> None:
    """Mark faces in an RGB image uint8 (height, width, 3), which is changed."""
    marks = list(marks)
    for mark in marks:
        left, top, right, bottom = mark.box
        width = max(2, round((bottom - top) / 40))
        cv2.rectangle(image, (left, top), (right, bottom), WHITE, width + 2)
        cv2.rectangle(image, (left, top), (right, bottom), _colour(mark), width)
    written: list[Box] = []
    for mark in marks:
        if mark.label:
            written.append(_write(image, mark, written, [each.box for each in marks]))


def thumbnail(image: Image, faces: Iterable[Face]) -> bytes:
    """A small JPEG of an RGB image, with a light box around each face."""
    scale = min(1.0, THUMBNAIL / max(image.shape[:2]))
    width, height = (max(1, round(side * scale)) for side in image.shape[1::-1])
    small: Any = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
    for face in faces:
        left, top, right, bottom = (round(edge * scale) for edge in face.box)
        for colour, thickness in (BLACK, 3), (WHITE, 1):
            cv2.rectangle(small, (left, top), (right, bottom), colour, thickness)
    return encoded(small, ".jpg", 80)


def encoded(image: Image, suffix: str, quality: int = 92) -> bytes:
    """An RGB image as a file of that kind."""
    file = BytesIO()
    kind = Pillow.registered_extensions()[suffix.lower()]
    Pillow.fromarray(image).save(file, kind, quality=quality)
    return file.getvalue()


def _colour(mark: Mark) -> tuple[int, int, int]:
    return GREEN if mark.good else RED


def _write(image: Image, mark: Mark, written: Sequence[Box], faces: Sequence[Box]) -> Box:
    """Write a mark's label above or below its box, where it covers what is written least, and then
    where it covers the fewest faces; the place it is in.
    """
    height, width = image.shape[:2]
    left, top, right, bottom = mark.box
    font, label = cv2.FontFace("sans"), " ".join(mark.label.split())
    letters = int(np.clip((bottom - top) * LETTERS, LEAST_LETTERS, MOST_LETTERS))
    while (wide := _wide(label, font, letters)) > 2 * (right - left) and letters > LEAST_LETTERS:
        letters -= 1
    margin = letters // 4
    across, tall = wide + 2 * margin, letters + 2 * margin
    x = max(0, min((left + right - across) // 2, width - across))
    places = [(x, y, x + across, y + tall) for y in (top - tall, bottom, top, bottom - tall)]
    inside = [place for place in places if place[1] >= 0 and place[3] <= height] or places
    place = min(inside, key=lambda each: (_covered(each, written), _covered(each, faces)))
    cv2.rectangle(image, place[:2], place[2:], _colour(mark), cv2.FILLED)
    start = place[0] + margin, place[1] + margin + round(letters * 0.85)
    cv2.putText(image, label, start, WHITE, font, letters, WEIGHT)
    return place


def _wide(label: str, font: cv2.FontFace, letters: int) -> int:
    """How wide a label is, in pixels."""
    # In an image that is wider: at its edge text is wrapped.
    _x, _y, wide, _tall = cv2.getTextSize((1 << 20, 1 << 20), label, (0, 0), font, letters, WEIGHT)
    return wide


def _covered(one: Box, others: Iterable[Box]) -> int:
    """How many of the others it overlaps."""
    return sum(
        one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]
        for other in others
    )
