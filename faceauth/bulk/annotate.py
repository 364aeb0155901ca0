"""Mark faces in pictures: green if the person is recognised, red if not."""

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

# RGB. White is legible on green and on red.
GREEN, RED, WHITE, BLACK = (0, 118, 60), (196, 30, 30), (255, 255, 255), (0, 0, 0)

# The height of letters: a share of the face's height, within bounds in pixels.
LETTER_SHARE = 0.2
MIN_LETTERS, MAX_LETTERS = 11, 60
FONT_WEIGHT = 500

THUMBNAIL = 240  # pixels, the longer side


class Mark(NamedTuple):
    """A face to mark.

    Attributes:
        box: (left, top, right, bottom) in pixels.
        good: True for green, False for red.
        label: The text to write beside the face; "" for none.
    """

    box: Box
    good: bool
    label: str = ""


def draw(image: Image, marks: Iterable[Mark]) -> None:
    """Mark faces in an RGB image, uint8 (height, width, 3), in place."""
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
    """Return a small JPEG of an RGB image, with a light box around each face."""
    scale = min(1.0, THUMBNAIL / max(image.shape[:2]))
    width, height = (max(1, round(side * scale)) for side in image.shape[1::-1])
    small: Any = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
    for face in faces:
        left, top, right, bottom = (round(edge * scale) for edge in face.box)
        for colour, thickness in (BLACK, 3), (WHITE, 1):
            cv2.rectangle(small, (left, top), (right, bottom), colour, thickness)
    return encode(small, ".jpg", 80)


def encode(image: Image, suffix: str, quality: int = 92) -> bytes:
    """Return an RGB image as the content of a file with that suffix."""
    file = BytesIO()
    kind = Pillow.registered_extensions()[suffix.lower()]
    Pillow.fromarray(image).save(file, kind, quality=quality)
    return file.getvalue()


def _colour(mark: Mark) -> tuple[int, int, int]:
    return GREEN if mark.good else RED


def _write(image: Image, mark: Mark, written: Sequence[Box], faces: Sequence[Box]) -> Box:
    """Write a mark's label above or below its box, and return the label's box.

    The label goes to the place where it covers the fewest labels, and of such places to the one
    where it covers the fewest faces.
    """
    height, width = image.shape[:2]
    left, top, right, bottom = mark.box
    font, label = cv2.FontFace("sans"), " ".join(mark.label.split())
    letters = int(np.clip((bottom - top) * LETTER_SHARE, MIN_LETTERS, MAX_LETTERS))
    while (text_width := _text_width(label, font, letters)) > 2 * (right - left):
        if letters <= MIN_LETTERS:
            break
        letters -= 1
    margin = letters // 4
    label_width, label_height = text_width + 2 * margin, letters + 2 * margin
    x = max(0, min((left + right - label_width) // 2, width - label_width))
    edges = (top - label_height, bottom, top, bottom - label_height)
    places = [(x, y, x + label_width, y + label_height) for y in edges]
    inside = [place for place in places if place[1] >= 0 and place[3] <= height] or places
    place = min(inside, key=lambda each: (_overlaps(each, written), _overlaps(each, faces)))
    cv2.rectangle(image, place[:2], place[2:], _colour(mark), cv2.FILLED)
    start = place[0] + margin, place[1] + margin + round(letters * 0.85)
    cv2.putText(image, label, start, WHITE, font, letters, FONT_WEIGHT)
    return place


def _text_width(label: str, font: cv2.FontFace, letters: int) -> int:
    """Return the width of a label in pixels."""
    # Measured in a very wide image, because text is wrapped at the edge of the image.
    _x, _y, width, _height = cv2.getTextSize(
        (1 << 20, 1 << 20), label, (0, 0), font, letters, FONT_WEIGHT
    )
    return width


def _overlaps(one: Box, others: Iterable[Box]) -> int:
    """Return how many of the other boxes a box overlaps."""
    return sum(
        one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]
        for other in others
    )
