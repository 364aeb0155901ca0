"""Where the faces are: dlib's CNN (mmod) detector, walked from large faces to small."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, NamedTuple

import cv2
import numpy as np
import onnxruntime
from numpy.typing import NDArray

Image = NDArray[np.uint8]

WINDOW = 80  # the network sees faces of about this many pixels
STRIDE = 8
FIRST_CENTRE = 14  # pixel that the first row and column of scores are centred on
BORDER = 11  # what dlib adds around each level, so that faces at the edge are seen
NEUTRAL = (123, 117, 104)  # the mean colour: zero to the network

# From one level to the next. Measured on LFW, the network sees 98 % of faces that are 10 % off
# its window, 84 % at 20 %, half at 30 %. Who falls between two levels is found in the second round.
STEP = 1.5
ALIKE = 1.08  # two levels that are nearer than this see the same faces
LARGEST = 0.9  # of the image's shorter side: the first level's window


class Detection(NamedTuple):
    """A window that holds a face: its centre and size in pixels, and the network's score (> 0)."""

    x: float
    y: float
    size: float
    score: float


class Pyramid:
    """An RGB image uint8 (height, width, 3) at any scale."""

    def __init__(self, image: Image) -> None:
        self._halves: list[Any] = [image]

    @property
    def side(self) -> int:
        """The shorter side, in pixels."""
        return min(self._halves[0].shape[:2])

    def at(self, scale: float) -> Any:
        """The image scaled down or up, from the nearest of its halves that is larger: a bilinear
        step of more than two would skip pixels.
        """
        height, width = self._halves[0].shape[:2]
        halvings = max(0, math.floor(-math.log2(scale)))
        while len(self._halves) <= halvings:
            last = self._halves[-1]
            half = (max(1, last.shape[1] // 2), max(1, last.shape[0] // 2))
            self._halves.append(cv2.resize(last, half, interpolation=cv2.INTER_AREA))
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        return cv2.resize(self._halves[halvings], size, interpolation=cv2.INTER_LINEAR)


class Detector:
    """Scores windows of an image, level by level. Thread-safe."""

    def __init__(self, session: onnxruntime.InferenceSession) -> None:
        self._session = session

    @property
    def providers(self) -> list[str]:
        """ONNX Runtime's execution providers that it runs on, the preferred one first."""
        return self._session.get_providers()

    def levels(
        self, pyramid: Pyramid, smallest: float, *, every: bool = False
    ) -> Iterator[list[Detection]]:
        """Detections on level after level, from faces as tall as the image down to `smallest`.

        First in large steps and without a border, which would make the coarse levels half as
        large again. Where that finds nothing, again in half the steps and with the border, for
        faces between two levels or cut off by the edge.

        every: in half the steps at once, for who wants all faces and so never leaves early.
        """
        if pyramid.side < smallest / 2:
            return  # a strip that holds no face, and would fill the memory if enlarged to one
        largest = LARGEST * pyramid.side
        steps = math.log(largest / smallest, STEP)
        if every:
            for index in range(max(0, math.ceil(2 * steps - 0.5)) + 1):
                yield self.look(pyramid, largest / STEP ** (index / 2))
            return
        count = max(0, math.ceil(steps - 0.5)) + 1
        for index in range(count):
            yield self.look(pyramid, largest / STEP**index, border=0)
        for index in range(2 * count):
            yield self.look(pyramid, largest / STEP ** (index / 2))

    def look(self, pyramid: Pyramid, size: float, border: int = BORDER) -> list[Detection]:
        """Detections of faces about `size` pixels tall, the best first, each face once."""
        scale = WINDOW / size
        level = pyramid.at(scale)
        if border:
            sides = (border,) * 4
            level = cv2.copyMakeBorder(level, *sides, cv2.BORDER_CONSTANT, value=NEUTRAL)
        scores = self._session.run(None, {"image": level[None]})[0][0, 0]
        found = [
            Detection(
                x=(column * STRIDE + FIRST_CENTRE - border) / scale,
                y=(row * STRIDE + FIRST_CENTRE - border) / scale,
                size=size,
                score=float(scores[row, column]),
            )
            for row, column in np.argwhere(scores > 0)
        ]
        return distinct(found)


def distinct(found: list[Detection]) -> list[Detection]:
    """The best detection of each face, the best of all first."""
    kept: list[Detection] = []
    for one in sorted(found, key=lambda each: -each.score):
        if not any(_same_face(one, other) for other in kept):
            kept.append(one)
    return kept


def _same_face(one: Detection, other: Detection) -> bool:
    reach = max(one.size, other.size) / 2
    return abs(one.x - other.x) < reach and abs(one.y - other.y) < reach
