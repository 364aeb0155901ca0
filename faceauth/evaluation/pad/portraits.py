"""The photos of a person, as an attacker has them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from faceauth.capture import samples
from faceauth.vision import Face, ImageError, decode_image
from faceauth.vision.encoding import Encoding
from faceauth.vision.head_pose import head_pose

from .rendering import Image, Sheet


@dataclass(frozen=True)
class Portrait:
    """A photo of a person, whose pixels are read only when needed.

    Attributes:
        path: The file.
        face: The face in `image`.
        encoding: Of the face, float32 (d,).
        turn: How the head is held: yaw and pitch, in degrees.
        mirror: `image` is the mirror image of the file.
    """

    path: Path
    face: Face
    encoding: Encoding
    turn: tuple[float, float]
    mirror: bool = False

    @property
    def image(self) -> Image:
        """The pixels, RGB, uint8 (height, width, 3)."""
        image = decode_image(self.path.read_bytes())
        return np.ascontiguousarray(image[:, ::-1]) if self.mirror else image

    @property
    def sheet(self) -> Sheet:
        """The photo as a sheet to hold up."""
        left, top, right, bottom = self.face.box
        return Sheet(self.image, ((left + right) / 2, (top + bottom) / 2), self.face.size)

    @property
    def aside(self) -> float:
        """How far the head is turned from straight ahead, in degrees."""
        return float(np.hypot(*self.turn))

    def mirrored(self) -> Portrait:
        """Return the mirror image, in which the head turns to the other side."""
        width = self.image.shape[1]
        left, top, right, bottom = self.face.box
        # The eyes change places, and so do their corners.
        landmarks = self.face.landmarks[[2, 3, 0, 1, 4]] * (-1, 1) + (width - 1, 0)
        face = Face((width - right, top, width - left, bottom), self.face.score, landmarks)
        turn = -self.turn[0], self.turn[1]
        return replace(self, face=face, turn=turn, mirror=not self.mirror)


def read_portrait(path: Path) -> Portrait | None:
    """Read a photo of one person. Return None if it is unreadable, or shows nobody or several."""
    try:
        image = decode_image(path.read_bytes())
    except (ImageError, OSError):
        return None
    engine = samples.engine()
    match engine.find_faces(image):
        case [face]:
            pose = head_pose(engine.mesh(image, face).points)
            encoding = engine.encode_views(image, face)
            return Portrait(path, face, encoding, (pose.yaw, pose.pitch))
    return None
