"""Measure how a head is held, from its face mesh, by what a mean face has to do to look like it."""

from __future__ import annotations

import math
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .face_mesh import Points

FILE = Path(__file__).parent / "data" / "mean_face.npy"

_TOP, _CHIN = 10, 152
_LEFT, _RIGHT = 33, 263  # the outer corners of the eyes, as in the picture


class HeadPose(NamedTuple):
    """How a head is held in a picture.

    The mean face is moved onto the points of the mesh by the affine map that fits best, from its
    three dimensions to the two of the picture. How much of the face's depth the map shows as a
    shift to the side is the turn. A flat picture has no depth: however it is tilted, it shows
    almost no turn, but it gets narrower.

    Attributes:
        yaw: How far the head is turned towards the right of the picture, the person's own left, in
            degrees.
        pitch: How far the chin is raised, in degrees, from how the mean face holds it.
        roll: How far the head is tilted, clockwise in the picture, in degrees.
        squeeze: The width of the face for its height, over that of the mean face, with the turn
            taken into account: a head keeps it when it turns.
        skew: The same along the diagonals: 0 for a head, whichever way it turns.
        size: The height of the face in pixels, as if it looked straight ahead.
        x: The centre of the face in pixels.
        y: The centre of the face in pixels.
        residual: What the map cannot explain, as a share of the size.
    """

    yaw: float
    pitch: float
    roll: float
    squeeze: float
    skew: float
    size: float
    x: float
    y: float
    residual: float


def head_pose(points: Points) -> HeadPose:
    """Return how the head is held.

    Args:
        points: Of a `Mesh`, float32 (468, 3).
    """
    face, solve = mean_face()
    across = points[_RIGHT] - points[_LEFT]
    roll = math.atan2(across[1], across[0])
    cosine, sine = math.cos(roll), math.sin(roll)
    centre = points[:, :2].mean(axis=0)
    upright = (points[:, :2] - centre) @ np.array([[cosine, -sine], [sine, cosine]], np.float32)
    fitted = solve @ upright
    off = upright - face @ fitted
    # Where a step to the right, down, and backwards of the mean face goes in the picture: of a head
    # that is rotated and scaled, `across` and `down` keep the same length and a right angle.
    across, down = fitted[:, 0], fitted[:, 1]
    wide, high, shear = float(across @ across), float(down @ down), float(across @ down)
    size = math.sqrt((wide + high) / 2 + math.hypot((wide - high) / 2, shear))
    return HeadPose(
        yaw=_degrees(-fitted[2, 0] / size),
        pitch=_degrees(fitted[2, 1] / size),
        roll=math.degrees(roll),
        squeeze=math.sqrt(wide / high),
        skew=shear / math.sqrt(wide * high),
        size=size,
        x=float(centre[0]),
        y=float(centre[1]),
        residual=math.sqrt(float((off**2).sum(axis=1).mean())) / size,
    )


def _degrees(sine: float) -> float:
    return math.degrees(math.asin(max(-1.0, min(1.0, sine))))


@cache
def mean_face() -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the mean face (468, 3), one unit tall, around its centre, and what fits it to points.

    Degenerate points (all in one place) are no face; the caller asks the mesh's presence first.
    """
    face = np.load(FILE, allow_pickle=False).astype(np.float64)
    face = face - face.mean(axis=0)
    face /= np.hypot(*(face[_CHIN] - face[_TOP])[:2])
    return face.astype(np.float32), np.linalg.pinv(face).astype(np.float32)
