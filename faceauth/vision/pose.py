"""Which way a head looks, from five landmarks."""

from __future__ import annotations

from .alignment import Landmarks


def yaw(landmarks: Landmarks) -> float:
    """How far the head is turned to a side: the nose's place along the line between the eyes,
    from their middle, in units of the distance between them. 0 is straight ahead; of photos of
    LFW 5 % exceed 0.19. Positive towards the picture's right.
    """
    left, right = landmarks[2:4].mean(axis=0), landmarks[:2].mean(axis=0)
    across = right - left
    return float((landmarks[4] - (left + right) / 2) @ across / (across @ across))
