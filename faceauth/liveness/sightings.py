"""What is kept of a frame: where the head was and how it was held. Never pixels."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from faceauth.vision.face_mesh import Mesh

# Points of the mesh that expressions move.
_POINTS = (61, 291, 0, 17, 13, 14, 33, 133, 159, 145, 263, 362, 386, 374, 70, 300, 105, 334, 1, 152)


class Sighting(NamedTuple):
    """A head in one frame.

    Attributes:
        at: When the frame arrived, in seconds since the challenge was opened.
        yaw: How far the head is turned towards the right of the picture, the person's own left, in
            degrees.
        pitch: How far the chin is raised, in degrees.
        squeeze: The width of the face for its height, as the head pose leaves it: a head keeps it
            when it turns, and a flat picture that is tilted does not.
        skew: The same along the diagonals.
        size: Of the face, as a share of the frame's shorter side; turns do not change it.
        x: Of its centre, as a share of the frame's width.
        y: Of its centre, as a share of the frame's height.
    """

    at: float
    yaw: float
    pitch: float
    squeeze: float
    skew: float
    size: float
    x: float
    y: float


def shape_of(mesh: Mesh) -> NDArray[np.float16]:
    """Return the shape of a face without its place, size and angle, float16 (k, 2)."""
    points = mesh.points[list(_POINTS), :2] - mesh.points[:, :2].mean(axis=0)
    across = mesh.points[263, :2] - mesh.points[33, :2]
    length = float(across @ across) or 1.0
    turn = np.array([[across[0], -across[1]], [across[1], across[0]]]) / length
    return (points @ turn).astype(np.float16)
