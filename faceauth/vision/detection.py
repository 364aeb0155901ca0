"""Find faces: dlib's CNN (mmod) detector, run from large faces to small ones."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, NamedTuple

import cv2
import numpy as np
import onnxruntime
from numpy.typing import NDArray

Image = NDArray[np.uint8]

WINDOW = 80  # the network detects faces of about this many pixels
STRIDE = 8
FIRST_CENTRE = 14  # pixel that the first row and column of scores are centred on
BORDER = 11  # dlib adds this border to each level, to find faces at the edge
NEUTRAL = (123, 117, 104)  # the mean colour: zero to the network

# The factor from one level to the next. Measured on LFW, the network finds 98 % of faces that are
# 10 % off its window, 84 % at 20 %, half at 30 %. A second round finds faces between two levels.
STEP = 1.5
SAME_LEVEL = 1.08  # two levels nearer to each other than this factor find the same faces
LARGEST = 0.9  # the first level's window, as a share of the image's shorter side


class Detection(NamedTuple):
    """A window that contains a face: its centre and size in pixels, and its score (above 0)."""

    x: float
    y: float
    size: float
    score: float


class Pyramid:
    """An image at any scale.

    Args:
        image: RGB, uint8 (height, width, 3).
    """

    def __init__(self, image: Image) -> None:
        self._halves: list[Any] = [image]

    @property
    def side(self) -> int:
        """The shorter side, in pixels."""
        return min(self._halves[0].shape[:2])

    def at(self, scale: float) -> Any:
        """Return the image scaled up or down, uint8 (height, width, 3).

        It is made from the smallest halving that is still larger, because a bilinear step of more
        than two would skip pixels.
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
    """Score the windows of an image, level by level. Thread-safe.

    Args:
        session: The network of `dlib_networks.detector_graph`.
    """

    def __init__(self, session: onnxruntime.InferenceSession) -> None:
        self._session = session

    @property
    def providers(self) -> list[str]:
        """The execution providers of ONNX Runtime that the network uses, preferred one first."""
        return self._session.get_providers()

    def levels(
        self, pyramid: Pyramid, smallest: float, *, every: bool = False, once: bool = False
    ) -> Iterator[list[Detection]]:
        """Yield the detections of each level, from faces as tall as the image down to `smallest`.

        The first round takes large steps and adds no border, which would make the coarse levels
        half as large again. If the caller goes on, a second round takes half the steps and adds the
        border, for faces between two levels or cut off by the edge.

        Args:
            pyramid: The image.
            smallest: The size of the smallest faces in pixels.
            every: Start with the second round. Use it to find all faces, where the search never
                stops early.
            once: Leave out the second round.
        """
        if pyramid.side < smallest / 2:
            return  # a strip too narrow for a face, which would fill the memory if enlarged
        largest = LARGEST * pyramid.side
        steps = math.log(largest / smallest, STEP)
        if every:
            for index in range(max(0, math.ceil(2 * steps - 0.5)) + 1):
                yield self.scan(pyramid, largest / STEP ** (index / 2))
            return
        count = max(0, math.ceil(steps - 0.5)) + 1
        for index in range(count):
            yield self.scan(pyramid, largest / STEP**index, border=0)
        if once:
            return
        for index in range(2 * count):
            yield self.scan(pyramid, largest / STEP ** (index / 2))

    def scan(self, pyramid: Pyramid, size: float, border: int = BORDER) -> list[Detection]:
        """Return the faces about `size` pixels tall, highest score first, each face once."""
        if pyramid.side < size / 2:
            return []  # smaller than what the network looks at
        scale = WINDOW / size
        level = pyramid.at(scale)
        if border:
            sides = (border,) * 4
            level = cv2.copyMakeBorder(level, *sides, cv2.BORDER_CONSTANT, value=NEUTRAL)
        scores = self._session.run(None, {"image": level[None]})[0][0, 0]
        rows, columns = (scores > 0).nonzero()
        found = [
            Detection(
                x=(column * STRIDE + FIRST_CENTRE - border) / scale,
                y=(row * STRIDE + FIRST_CENTRE - border) / scale,
                size=size,
                score=float(scores[row, column]),
            )
            for row, column in zip(rows.tolist(), columns.tolist(), strict=True)
        ]
        return distinct(found)


def distinct(found: list[Detection]) -> list[Detection]:
    """Return the best detection of each face, highest score first."""
    kept: list[Detection] = []
    for one in sorted(found, key=lambda each: -each.score):
        if not any(_same_face(one, other) for other in kept):
            kept.append(one)
    return kept


def _same_face(one: Detection, other: Detection) -> bool:
    reach = max(one.size, other.size) / 2
    return abs(one.x - other.x) < reach and abs(one.y - other.y) < reach
