"""What is kept of a frame: where the head was and how it was held. Never pixels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from faceauth.vision.head_pose import HeadPose


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
        roll: How far the head is tilted, clockwise in the picture, in degrees.
    """

    at: float
    yaw: float
    pitch: float
    squeeze: float
    skew: float
    size: float
    x: float
    y: float
    roll: float = 0.0

    @classmethod
    def of(cls, head: HeadPose, shape: Sequence[int], at: float) -> Sighting:
        """Return what is kept of a head.

        Args:
            head: How it is held.
            shape: Of the frame: height and width in pixels, and what follows.
            at: When the frame arrived, in seconds since the challenge was opened.
        """
        height, width = shape[:2]
        return cls(
            at=at,
            yaw=head.yaw,
            pitch=head.pitch,
            squeeze=head.squeeze,
            skew=head.skew,
            size=head.size / min(height, width),
            x=head.x / width,
            y=head.y / height,
            roll=head.roll,
        )
