"""Five landmarks in a face, by dlib, and the aligned chip around it, as dlib's encoder wants it or
as others do.
"""

from __future__ import annotations

from pathlib import Path

import dlib
import numpy as np
from numpy.typing import NDArray

from .dlib_networks import CHIP_SIZE, LANDMARKS_FILE, model_path

Image = NDArray[np.uint8]
Landmarks = NDArray[np.float64]
Box = tuple[int, int, int, int]

CHIP_PADDING = 0.25

# What a face to be enrolled is looked at as: also cropped tighter and wider, and turned a little.
# face_evaluate prints what that brings.
VIEWS: tuple[tuple[float, float], ...] = ((0.25, 0), (0.15, 0), (0.35, 0), (0.25, -4), (0.25, 4))

# The detector's boxes, in units of the landmarks' spread around their middle: medians over
# 600 photos of LFW in which the detector looked at every size in steps of 10 %.
BOX_PER_SPREAD = 4.3
BOX_BELOW_MIDDLE = 0.077


class Aligner:
    """Finds landmarks. Thread-safe."""

    def __init__(self, path: Path | None = None) -> None:
        self._predictor = dlib.shape_predictor(str(path or model_path(LANDMARKS_FILE)))

    def landmarks(self, image: Image, box: Box) -> Landmarks:
        """Float64 (5, 2), whole pixels: the corners of the eye on the picture's right (outer,
        inner), of the one on its left (outer, inner), and the point under the nose.
        """
        shape = self._predictor(image, dlib.rectangle(*box))
        return np.array([(point.x, point.y) for point in shape.parts()], np.float64)


def chip(
    image: Image, landmarks: Landmarks, padding: float = CHIP_PADDING, degrees: float = 0
) -> Image:
    """The face turned upright, uint8 (150, 150, 3): what dlib's encoder was trained on.

    padding: what is seen around the face, in shares of its size.
    degrees: how far from upright.
    """
    points = [dlib.point(round(x), round(y)) for x, y in _turned(landmarks, degrees)]
    shape = dlib.full_object_detection(dlib.rectangle(), points)
    cut: Image = dlib.get_face_chip(image, shape, CHIP_SIZE, padding)
    return cut


def square(x: float, y: float, size: float) -> Box:
    """The box (left, top, right, bottom) of `size` pixels around a centre."""
    half = size / 2
    return (round(x - half), round(y - half), round(x + half), round(y + half))


def fitted_box(landmarks: Landmarks) -> Box:
    """The box that the detector would give a face with these landmarks, were it looking at every
    size: a box found in large steps is up to a fifth off, and a landmark search that starts from
    such a box finds worse landmarks.
    """
    middle = landmarks.mean(axis=0)
    spread = float(np.sqrt(((landmarks - middle) ** 2).sum(axis=1).mean()))
    size = BOX_PER_SPREAD * spread
    return square(middle[0], middle[1] + BOX_BELOW_MIDDLE * size, size)


def _turned(landmarks: Landmarks, degrees: float) -> Landmarks:
    """The landmarks turned around their middle."""
    sine, cosine = np.sin(np.deg2rad(degrees)), np.cos(np.deg2rad(degrees))
    middle = landmarks.mean(axis=0)
    turned: Landmarks = (landmarks - middle) @ np.array([[cosine, sine], [-sine, cosine]]) + middle
    return turned
