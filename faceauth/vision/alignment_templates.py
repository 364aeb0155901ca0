"""Alignment templates: the positions of eyes and nose in the chips of encoders other than dlib's.

Most face networks were trained on chips in which five points (the eyes, the tip of the nose and the
corners of the mouth) were moved to fixed positions. dlib's five landmarks are the corners of the
eyes and the point under the nose. Both sets contain the centres of the eyes, and the position of
the point under the nose between its tip and the mouth is known for the average face. So an
alignment template here has three points, and a face is moved onto them by the rotation, scale and
shift that fit best.

The cost: without the mouth, a long face or an open mouth is cropped like an average one, and a
raised or lowered head is taken for a smaller or larger one. The network sees the face a few pixels
away from the positions that it was trained on. `face_evaluate` measures the loss of accuracy, and a
calibration that it makes takes the loss into account.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from .alignment import CHIP_PADDING, VIEWS, Image, Landmarks

Points = NDArray[np.float64]

# The position of the point under the nose between its tip (0) and the centre of the corners of the
# mouth (1), in the mean face that dlib aligns to: 0.516, 0.628 and 0.780 of its height.
UNDER_NOSE = 0.425

# The five points of ArcFace and SFace, in pixels of a chip of 112: the eyes on the left and right
# of the picture, the tip of the nose, the corners of the mouth.
ARCFACE_SIDE = 112
ARCFACE = (
    (38.2946, 51.6963),
    (73.5318, 51.5014),
    (56.0252, 71.7366),
    (41.5493, 92.3655),
    (70.7299, 92.2041),
)

# The centres of the eyes and the point under the nose in dlib's chip, without its padding.
_DLIB = np.array([(0.22733, 0.22140), (0.75281, 0.22123), (0.49011, 0.62780)])


def arcface() -> Points:
    """Return ArcFace's alignment template.

    Returns:
        Float64 (3, 2), as shares of the chip's side: the eyes on the left and right of the picture,
        and the point under the nose.
    """
    return from_five_points(np.array(ARCFACE) / ARCFACE_SIDE)


def dlib() -> Points:
    """Return the alignment template of dlib's own chip, float64 (3, 2), in shares of its side."""
    return (_DLIB + CHIP_PADDING) / (1 + 2 * CHIP_PADDING)


def from_five_points(points: Points) -> Points:
    """Return the alignment template, float64 (3, 2), for the five points of a network.

    Args:
        points: Float64 (5, 2): the eyes, the tip of the nose and the corners of the mouth, as
            shares of the chip's side.
    """
    *eyes, tip, one_corner, other_corner = points
    mouth = (one_corner + other_corner) / 2
    return np.array([*eyes, tip + UNDER_NOSE * (mouth - tip)])


def views(template: Points) -> list[Points]:
    """Return the template cropped and rotated as in `VIEWS`, starting with the template itself."""
    return [_view(template, *view) for view in VIEWS]


def chips(
    image: Image, landmarks: Landmarks, templates: Sequence[Points], side: int
) -> list[Image]:
    """Return the face aligned to each of the templates.

    Args:
        image: RGB, uint8 (height, width, 3).
        landmarks: From `alignment.Aligner.landmarks`.
        templates: Alignment templates, float64 (3, 2) each.
        side: Width and height of the chips in pixels.

    Returns:
        RGB, uint8 (side, side, 3) each.
    """
    points = np.array([landmarks[2:4].mean(axis=0), landmarks[:2].mean(axis=0), landmarks[4]])
    # Scaling down by more than two in one step skips pixels, so a larger factor is split in two.
    shrink = int(1 / _scale(similarity(points, side * templates[0])))
    if shrink > 1:
        share = 1 / shrink
        image = cv2.resize(image, None, fx=share, fy=share, interpolation=cv2.INTER_AREA)  # type: ignore[assignment]
        points = (points + 0.5) * share - 0.5
    matrices = [similarity(points, side * template) for template in templates]
    return [np.asarray(cv2.warpAffine(image, each, (side, side)), np.uint8) for each in matrices]


def similarity(points: Points, targets: Points) -> Points:
    """Return the similarity transform that moves points nearest to targets, by least squares.

    Args:
        points: Float64 (n, 2).
        targets: Float64 (n, 2).

    Returns:
        Rotation, scale and shift as a matrix, float64 (2, 3).
    """
    source, target = points @ (1, 1j), targets @ (1, 1j)
    centred = source - source.mean()
    turn = np.vdot(centred, target) / np.vdot(centred, centred)
    shift = target.mean() - turn * source.mean()
    return np.array([[turn.real, -turn.imag, shift.real], [turn.imag, turn.real, shift.imag]])


def _scale(matrix: Points) -> float:
    return float(np.hypot(matrix[0, 0], matrix[1, 0]))


def _view(template: Points, padding: float, degrees: float) -> Points:
    zoom = (1 + 2 * CHIP_PADDING) / (1 + 2 * padding)
    sine, cosine = np.sin(np.deg2rad(degrees)), np.cos(np.deg2rad(degrees))
    turn = zoom * np.array([[cosine, sine], [-sine, cosine]])
    return (template - 0.5) @ turn + 0.5
