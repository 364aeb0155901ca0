"""Find the face mesh: 468 points of a face in three dimensions, by MediaPipe's network.

The network sees one face, cropped and upright. Where the crop is taken from the points of a moment
ago, a face is followed from frame to frame without being detected again.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from .alignment import Box, Landmarks, square
from .mesh_network import mesh_graph
from .onnx_session import CPU, open_session

Image = NDArray[np.uint8]
Points = NDArray[np.float32]

FILE = Path(__file__).parent / "data" / "face_landmark.tflite"
SIDE = 192  # pixels of the network's input
POINTS = 468

# A presence above this is a face. Heads in films have 15 and more, and at least 5 where movement
# blurs them; photographs tilted by 60 degrees have 0.7, and pictures without a face less than 0.
PRESENT = 5.0

# The points that dlib's five landmarks are nearest to, in their order.
FIVE = (263, 362, 33, 133, 2)
_RIGHT_EYE, _LEFT_EYE = 33, 263  # the outer corners, on the left and on the right of the picture

_MARGIN = 1.5  # times the mesh's larger side is the crop's

# The crop, for a detector's box: medians over 200 photos of LFW.
_CROP_PER_BOX = 1.70
_CROP_BELOW_BOX = 0.066  # of the box's size

# The network is run again, at most so often, if its crop was farther off than this: a share of the
# crop's side, a factor, and radians. On films of 23 heads at eight frames a second, the first run
# from the box of the frame before is off by 0.6 degrees (99 % below 3.2), the second by 0.2 (1.5).
# From a detector's box, the first is off by 1.5 degrees (6), the second by 0.6 (3), the third by
# 0.3 (1.7).
MAX_RUNS = 3
_OFF_CENTRE, _OFF_SCALE, _OFF_ANGLE = 0.03, 1.08, math.radians(8)


class Mesh(NamedTuple):
    """A face mesh.

    Attributes:
        points: Float32 (468, 3): x and y in pixels of the image, and the depth in the same units,
            smaller towards the camera.
        presence: How clearly there is a face: see `PRESENT`.
    """

    points: Points
    presence: float

    @property
    def landmarks(self) -> Landmarks:
        """The points next to dlib's landmarks, float64 (5, 2)."""
        return self.points[FIVE, :2].astype(np.float64)

    @property
    def box(self) -> Box:
        """The box that the detector would give the face if it searched at every size and place.

        Turns change it less than `alignment.fitted_box`.
        """
        crop = Crop.around_points(self.points)
        size = crop.side / _CROP_PER_BOX
        below = _CROP_BELOW_BOX * size
        return square(
            crop.x + below * math.sin(crop.angle), crop.y - below * math.cos(crop.angle), size
        )


class Crop(NamedTuple):
    """Where the network looks: a square's centre and side in pixels, and its angle in radians."""

    x: float
    y: float
    side: float
    angle: float = 0.0

    @classmethod
    def around_box(cls, box: Box, angle: float = 0.0) -> Crop:
        """Return the crop for a face in a box, whose angle may be unknown."""
        left, top, right, bottom = box
        size = bottom - top
        below = _CROP_BELOW_BOX * size
        return cls(
            (left + right) / 2 - below * math.sin(angle),
            (top + bottom) / 2 + below * math.cos(angle),
            _CROP_PER_BOX * size,
            angle,
        )

    @classmethod
    def around_face(cls, box: Box, landmarks: Landmarks) -> Crop:
        """Return the crop for a face from `Engine.find_faces`."""
        across = landmarks[:2].mean(axis=0) - landmarks[2:4].mean(axis=0)
        return cls.around_box(box, math.atan2(across[1], across[0]))

    @classmethod
    def around_points(cls, points: Points) -> Crop:
        """Return the crop for a face whose mesh was found a moment ago."""
        across = points[_LEFT_EYE] - points[_RIGHT_EYE]
        low, high = points[:, :2].min(axis=0), points[:, :2].max(axis=0)
        x, y = (low + high) / 2
        side = _MARGIN * float((high - low).max())
        return cls(float(x), float(y), side, math.atan2(across[1], across[0]))

    def is_near(self, other: Crop) -> bool:
        """Return True if both show the network the same."""
        turn = (self.angle - other.angle + math.pi) % (2 * math.pi) - math.pi
        return (
            math.hypot(self.x - other.x, self.y - other.y) < _OFF_CENTRE * other.side
            and 1 / _OFF_SCALE < self.side / other.side < _OFF_SCALE
            and abs(turn) < _OFF_ANGLE
        )


class FaceMesh:
    """Find the mesh of a face, always on the CPU: the network is too small for another device.

    Thread-safe.

    Args:
        path: The network's file.
        threads: The number of threads for one inference.

    Raises:
        ModelError: The file is missing or damaged.
    """

    def __init__(self, path: Path = FILE, *, threads: int = 1) -> None:
        self._session = open_session(mesh_graph(path), threads=threads, providers=[CPU])

    def find(self, image: Image, crop: Crop) -> Mesh:
        """Return the mesh of the face in a crop, which may be a little off.

        Args:
            image: RGB, uint8 (height, width, 3).
            crop: Where the face is.
        """
        return self._settle(image, crop)[0]

    def follow(self, image: Image, crop: Crop) -> Mesh | None:
        """Return the mesh of the face in a crop, or None if the face is lost.

        Args:
            image: RGB, uint8 (height, width, 3).
            crop: Where the face was a moment ago.
        """
        mesh, settled = self._settle(image, crop)
        return mesh if settled and mesh.presence >= PRESENT else None

    def look(self, image: Image, crop: Crop) -> Mesh:
        """Return the mesh of the face in a crop, by one run of the network."""
        zoom = SIDE / max(crop.side, 1.0)
        cosine, sine = zoom * math.cos(crop.angle), zoom * math.sin(crop.angle)
        move = np.array(
            [
                [cosine, sine, SIDE / 2 - cosine * crop.x - sine * crop.y],
                [-sine, cosine, SIDE / 2 + sine * crop.x - cosine * crop.y],
            ]
        )
        face = cv2.warpAffine(image, move, (SIDE, SIDE), borderMode=cv2.BORDER_REPLICATE)
        points, presence = self._session.run(None, {"face": face[None]})
        points = points.reshape(POINTS, 3)
        back = cv2.invertAffineTransform(move).astype(np.float32)
        flat = points[:, :2] @ back[:, :2].T + back[:, 2]
        return Mesh(np.column_stack([flat, points[:, 2] / zoom]), float(presence.item()))

    def _settle(self, image: Image, crop: Crop) -> tuple[Mesh, bool]:
        """Return the mesh, and if the last run's crop was where its points are."""
        for _ in range(MAX_RUNS):
            mesh = self.look(image, crop)
            found = Crop.around_points(mesh.points)
            if crop.is_near(found):
                return mesh, True
            if mesh.presence < PRESENT:
                break
            crop = found
        return mesh, False
