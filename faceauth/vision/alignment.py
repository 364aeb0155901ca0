"""Find five landmarks in a face with dlib, and cut out the aligned chip that an encoder sees."""

from __future__ import annotations

import math
from pathlib import Path

import dlib
import numpy as np
from numpy.typing import NDArray

from .dlib_networks import CHIP_SIZE, LANDMARKS_FILE, model_path

Image = NDArray[np.uint8]
Landmarks = NDArray[np.float64]
Box = tuple[int, int, int, int]

CHIP_PADDING = 0.25

# The views of a face at enrolment, as (padding, degrees): the chip itself, then cropped tighter and
# wider, then rotated a little each way. face_evaluate measures how much they improve accuracy.
VIEWS: tuple[tuple[float, float], ...] = ((0.25, 0), (0.15, 0), (0.35, 0), (0.25, -4), (0.25, 4))

# The size and position of the detector's boxes, in units of the landmarks' spread around their
# centre: medians over 600 photos of LFW, with the detector run at sizes in steps of 10 %.
BOX_PER_SPREAD = 4.3
BOX_BELOW_CENTRE = 0.077


class Aligner:
    """Find landmarks with dlib's five-point shape predictor. Thread-safe.

    Args:
        path: The predictor's file. By default the one that is installed.

    Raises:
        ModelError: The file is not installed.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._predictor = dlib.shape_predictor(str(path or model_path(LANDMARKS_FILE)))

    def landmarks(self, image: Image, box: Box) -> Landmarks:
        """Return the landmarks of the face in a box.

        Args:
            image: RGB, uint8 (height, width, 3).
            box: (left, top, right, bottom) in pixels.

        Returns:
            Whole pixels, float64 (5, 2), as (x, y): the corners of the eye on the right of the
            picture (outer, inner), those of the eye on the left (outer, inner), and the point under
            the nose.
        """
        shape = self._predictor(image, dlib.rectangle(*box))
        parts = map(shape.part, range(shape.num_parts))
        return np.array([(point.x, point.y) for point in parts], np.float64)


def chip(
    image: Image, landmarks: Landmarks, padding: float = CHIP_PADDING, degrees: float = 0
) -> Image:
    """Return the face, upright and cropped, as dlib's encoder was trained on it.

    Args:
        image: RGB, uint8 (height, width, 3).
        landmarks: From `Aligner.landmarks`.
        padding: The margin around the face, as a share of the face's size.
        degrees: The angle from upright.

    Returns:
        RGB, uint8 (150, 150, 3).
    """
    turned = _rotated(landmarks, degrees) if degrees else landmarks
    points = [dlib.point(round(x), round(y)) for x, y in turned.tolist()]
    shape = dlib.full_object_detection(dlib.rectangle(), points)
    face: Image = dlib.get_face_chip(image, shape, CHIP_SIZE, padding)
    return face


def square(x: float, y: float, size: float) -> Box:
    """Return the box (left, top, right, bottom) of `size` pixels around a centre, in pixels."""
    half = size / 2
    return (round(x - half), round(y - half), round(x + half), round(y + half))


def fitted_box(landmarks: Landmarks) -> Box:
    """Return the box that the detector would give this face if it searched at every size.

    The detector searches in large steps, so its boxes are off by up to a fifth, and landmarks found
    from such a box are worse.

    Args:
        landmarks: From `Aligner.landmarks`.
    """
    # Without numpy, whose functions cost 20 to 50 µs each right after a network has run, because it
    # leaves nothing else in the processor's caches.
    points = landmarks.tolist()
    x, y = (sum(each) / len(points) for each in zip(*points, strict=True))
    spread = math.sqrt(sum((px - x) ** 2 + (py - y) ** 2 for px, py in points) / len(points))
    size = BOX_PER_SPREAD * spread
    return square(x, y + BOX_BELOW_CENTRE * size, size)


def _rotated(landmarks: Landmarks, degrees: float) -> Landmarks:
    """Return the landmarks rotated about their centre."""
    sine, cosine = np.sin(np.deg2rad(degrees)), np.cos(np.deg2rad(degrees))
    centre = landmarks.mean(axis=0)
    rotated: Landmarks = (landmarks - centre) @ np.array([[cosine, sine], [-sine, cosine]]) + centre
    return rotated
