"""Chips for other encoders than dlib's: where in them the eyes and the nose lie.

Most face networks were trained on chips in which five points, the eyes, the tip of the nose and the
corners of the mouth, were brought to fixed places. dlib's five points are the corners of the eyes
and the point under the nose. What both have are the eyes' middles, and where the point under the
nose lies between its tip and the mouth is known of the average face: so three points are brought
to their places here, by the turn, size and shift that fit best.

What that costs: without the mouth a long face or an open mouth is cut as an average one, and a
head that is raised or lowered is taken for a smaller or larger one. The network sees the face a few
pixels off where it was trained to. How much worse it tells people apart for it, `face_evaluate`
measures; a calibration made by it has taken it into account.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from .alignment import CHIP_PADDING, VIEWS, Image, Landmarks

Points = NDArray[np.float64]

# Where the point under the nose lies between its tip (0) and the middle of the mouth's corners (1)
# in the mean face that dlib aligns to: 0.516, 0.628 and 0.780 of its height.
UNDER_NOSE = 0.425

# ArcFace's and SFace's, in pixels of a chip of 112: the eyes on the picture's left and right, the
# tip of the nose, the mouth's corners.
ARCFACE_SIDE = 112
ARCFACE = (
    (38.2946, 51.6963),
    (73.5318, 51.5014),
    (56.0252, 71.7366),
    (41.5493, 92.3655),
    (70.7299, 92.2041),
)

# The eyes' middles and the point under the nose in dlib's chip, its padding left out.
_DLIB = np.array([(0.22733, 0.22140), (0.75281, 0.22123), (0.49011, 0.62780)])


def arcface() -> Points:
    """ArcFace's pattern, float64 (3, 2): the eyes on the picture's left and right and the point
    under the nose, in shares of the chip's side.
    """
    return of_five_points(np.array(ARCFACE) / ARCFACE_SIDE)


def dlib() -> Points:
    """That of dlib's own chip."""
    return (_DLIB + CHIP_PADDING) / (1 + 2 * CHIP_PADDING)


def of_five_points(points: Points) -> Points:
    """A pattern from the five points, (5, 2), that a network was trained on."""
    *eyes, tip, one_corner, other_corner = points
    mouth = (one_corner + other_corner) / 2
    return np.array([*eyes, tip + UNDER_NOSE * (mouth - tip)])


def views(pattern: Points) -> list[Points]:
    """The pattern cropped and turned as `VIEWS` has it, the plain one first."""
    return [_view(pattern, *view) for view in VIEWS]


def chips(image: Image, landmarks: Landmarks, patterns: Sequence[Points], side: int) -> list[Image]:
    """The face laid into each of the patterns, uint8 (side, side, 3)."""
    known = np.array([landmarks[2:4].mean(axis=0), landmarks[:2].mean(axis=0), landmarks[4]])
    # What is scaled down by more than two at once loses pixels, so it is halved and more before.
    shrink = int(1 / _scale(similarity(known, side * patterns[0])))
    if shrink > 1:
        share = 1 / shrink
        image = cv2.resize(image, None, fx=share, fy=share, interpolation=cv2.INTER_AREA)  # type: ignore[assignment]
        known = (known + 0.5) * share - 0.5
    placed = [similarity(known, side * pattern) for pattern in patterns]
    return [np.asarray(cv2.warpAffine(image, each, (side, side)), np.uint8) for each in placed]


def similarity(points: Points, others: Points) -> Points:
    """The turn, size and shift, float64 (2, 3), that bring points (n, 2) nearest to the others in
    least squares.
    """
    one, other = points @ (1, 1j), others @ (1, 1j)
    away = one - one.mean()
    turn = np.vdot(away, other) / np.vdot(away, away)
    shift = other.mean() - turn * one.mean()
    return np.array([[turn.real, -turn.imag, shift.real], [turn.imag, turn.real, shift.imag]])


def _scale(matrix: Points) -> float:
    return float(np.hypot(matrix[0, 0], matrix[1, 0]))


def _view(pattern: Points, padding: float, degrees: float) -> Points:
    zoom = (1 + 2 * CHIP_PADDING) / (1 + 2 * padding)
    sine, cosine = np.sin(np.deg2rad(degrees)), np.cos(np.deg2rad(degrees))
    turn = zoom * np.array([[cosine, sine], [-sine, cosine]])
    return (pattern - 0.5) @ turn + 0.5
