"""Which way a head looks, from five landmarks."""

from __future__ import annotations

import numpy as np

from .alignment import Landmarks


def eyes(landmarks: Landmarks) -> tuple[np.ndarray, np.ndarray]:
    """The middles of the eyes on the picture's left and right, (2,) pixels each."""
    return landmarks[2:4].mean(axis=0), landmarks[:2].mean(axis=0)


def yaw(landmarks: Landmarks) -> float:
    """How far the head is turned to a side: the nose's place along the line between the eyes,
    from their middle, in units of the distance between them. 0 straight ahead, about +-0.3 at
    the most that people turn for a photo; positive towards the picture's right.
    """
    left, right = eyes(landmarks)
    across = right - left
    return float((landmarks[4] - (left + right) / 2) @ across / (across @ across))


def roll(landmarks: Landmarks) -> float:
    """How far the head is tilted in the picture, in degrees; positive clockwise."""
    left, right = eyes(landmarks)
    return float(np.degrees(np.arctan2(right[1] - left[1], right[0] - left[0])))
