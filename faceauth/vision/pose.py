"""Measure how a head is turned, from five landmarks, in units of the distance between the eyes."""

from __future__ import annotations

import numpy as np

from .alignment import Landmarks


def yaw(landmarks: Landmarks) -> float:
    """Return how far the head is turned to a side.

    It is the position of the nose along the line between the eyes, from their midpoint: 0 is
    straight ahead, positive values are towards the right of the picture. 5 % of LFW's photos exceed
    0.19.

    Args:
        landmarks: From `alignment.Aligner.landmarks`.
    """
    return _nose(landmarks)[0]


def pitch(landmarks: Landmarks) -> float:
    """Return how far the head is lowered.

    It is the position of the nose below the line between the eyes. Straight ahead is about 0.75,
    and differs from face to face; raising the chin gives a smaller value.

    Args:
        landmarks: From `alignment.Aligner.landmarks`.
    """
    return _nose(landmarks)[1]


def inter_eye_distance(landmarks: Landmarks) -> float:
    """Return the distance between the centres of the eyes, in pixels."""
    left, right = _eyes(landmarks)
    return float(np.hypot(*(right - left)))


def _eyes(landmarks: Landmarks) -> tuple[Landmarks, Landmarks]:
    """Return the centres of the eyes on the left and on the right of the picture."""
    return landmarks[2:4].mean(axis=0), landmarks[:2].mean(axis=0)


def _nose(landmarks: Landmarks) -> tuple[float, float]:
    """Return the position of the nose along the line between the eyes, and below it."""
    left, right = _eyes(landmarks)
    across = right - left
    down = np.array([-across[1], across[0]])
    nose = (landmarks[4] - (left + right) / 2) / (across @ across)
    return float(nose @ across), float(nose @ down)
