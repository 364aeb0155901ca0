"""Attacks with one photo, on paper or on a screen: a hand does with it what each step asks for."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from faceauth.vision.alignment import Landmarks

from .following import Follower
from .portraits import Portrait
from .rendering import (
    Bend,
    Hand,
    Image,
    Pose,
    add_noise,
    maybe_room,
    render_bent,
    render_flat,
    room,
    rotation_about,
)

Random = np.random.Generator

# How much larger a photo gets that is brought closer.
NEARER = 1.25, 1.5


class PhotoAttack:
    """A hand that moves a photo. Subclasses say how it looks.

    Args:
        photo: The photo.
        random: The random numbers of this attempt.
    """

    def __init__(self, photo: Portrait, random: Random) -> None:
        self.photo, self.random = photo, random
        self.sheet, self.hand = photo.sheet, Hand(random)
        self.background: Image | None = maybe_room(random)
        self._follower = Follower(random.uniform(0.3, 0.5), random.uniform(0.4, 0.8))
        self._nearer = random.uniform(*NEARER)
        # Half of the hands begin on one side, so that there is a longer way to the other.
        angle, far = random.uniform(0, 2 * np.pi), random.choice((0, random.uniform(0.5, 1)))
        self._start = far * np.array([np.cos(angle), np.sin(angle)])

    def frame(self, step: str, since: float) -> Image:
        """Return the next frame, with the noise of a camera."""
        left, up, near = self._follower.at(step, since)
        # Towards the right of the picture, and down.
        way = np.array([left, -up])
        way += self._start * (1 - np.hypot(left, up))
        return add_noise(self.shot(way, self._nearer**near), self.random)

    def shot(self, way: NDArray[np.float64], scale: float) -> Image:
        """Return the photo before the camera.

        Args:
            way: How far the movement is, to the right of the picture and down: 1 at its end.
            scale: How much larger the face is than at rest.
        """
        raise NotImplementedError


class Still(PhotoAttack):
    """A photo on a stand."""

    def shot(self, way: NDArray[np.float64], scale: float) -> Image:
        """Return the photo, which does not move."""
        return render_flat(self.sheet, Pose(np.eye(3)), self.background)


class Moved(PhotoAttack):
    """A photo that is shifted, rotated in the plane and brought closer."""

    def __init__(self, photo: Portrait, random: Random) -> None:
        super().__init__(photo, random)
        self._shift, self._roll = random.uniform(0.1, 0.5), random.uniform(-0.4, 0.4)

    def shot(self, way: NDArray[np.float64], scale: float) -> Image:
        """Return the photo."""
        x, y = self._shift * way
        pose = self.hand.pose(roll=self._roll * way[0], shift=(x, y), scale=scale)
        return render_flat(self.sheet, pose, self.background)


class Tilted(PhotoAttack):
    """A photo that is rotated in depth, up to 60 degrees, and held so that the eyes stay level.

    About an axis that slants, the nose leaves the midpoint between the eyes.
    """

    def __init__(self, photo: Portrait, random: Random) -> None:
        super().__init__(photo, random)
        self.background = room(random)
        # One in five attempts turns the way that makes the face look the other way.
        self._angle = np.deg2rad(random.uniform(20, 60)) * random.choice((1, -1), p=(0.2, 0.8))
        self._slant = np.deg2rad(random.choice((0, random.uniform(-55, 55))))
        self._distance = random.uniform(2.2, 6)

    def shot(self, way: NDArray[np.float64], scale: float) -> Image:
        """Return the photo."""
        axis = rotation_about((0, 0, 1), self._slant) @ np.array([-way[1], way[0], 0])
        far = float(np.hypot(*way))
        turn = rotation_about(axis.tolist(), far * self._angle) if far > 1e-6 else np.eye(3)
        pose = self.hand.pose(turn, roll=-np.arctan2(turn[1, 0], turn[0, 0]), scale=scale)
        return render_flat(self.sheet, pose, self.background, self._distance)


class Bent(PhotoAttack):
    """A photo that is bent around a cylinder and turned about the cylinder's axis."""

    def __init__(self, photo: Portrait, random: Random) -> None:
        super().__init__(photo, random)
        self._room = room(random)
        # A head turns with its surface; one in five attempts turns the other way.
        self._angle = np.deg2rad(random.uniform(20, 50)) * random.choice((-1, 1), p=(0.2, 0.8))
        self._radius = random.uniform(0.5, 1.2)
        self._slant = 0.0

    def shot(self, way: NDArray[np.float64], scale: float) -> Image:
        """Return the photo."""
        far = float(np.hypot(*way))
        if far > 0.05:
            self._slant = float(np.arctan2(way[1], way[0]))
        bend = Bend(self._radius, far * self._angle, self._slant)
        return render_bent(self.sheet, bend, self.hand.pose(scale=scale), self._room)


class Piece(NamedTuple):
    """A part of a face that is cut out and moved.

    Attributes:
        below: The distance of its centre below the eyes, in units of the way from eyes to nose.
        half_width: In units of the distance between the eyes.
        half_height: In the same units.
        side: 1 if it moves as the face is asked to, -1 if the other way.
    """

    below: float
    half_width: float
    half_height: float
    side: int


EYES, MOUTH, NOSE_AND_MOUTH = (
    Piece(0, 0.95, 0.33, -1),
    Piece(1.55, 0.6, 0.33, 1),
    Piece(1.2, 0.62, 0.62, 1),
)
PIECES = (EYES, MOUTH, NOSE_AND_MOUTH)


class Cut(PhotoAttack):
    """A photo with a piece cut out, which is pushed over another print of the photo.

    The piece contains the eyes, the mouth, or the nose and the mouth.
    """

    def __init__(self, photo: Portrait, random: Random) -> None:
        super().__init__(photo, random)
        piece = PIECES[random.integers(len(PIECES))]
        self._size = self.sheet.image.shape[1::-1]
        between, mask = _piece_mask(photo.face.landmarks, piece, self._size)
        blur = random.choice((1, 3, 7))
        self._mask = cv2.GaussianBlur(mask, (blur, blur), 0)
        self._reach = piece.side * random.uniform(0.2, 0.45) * between

    def shot(self, way: NDArray[np.float64], scale: float) -> Image:
        """Return the photo."""
        x, y = way * self._reach
        push, image = np.array([[1, 0, x], [0, 1, y]]), self.sheet.image
        over = cv2.warpAffine(image, push, self._size, borderMode=cv2.BORDER_REPLICATE)
        share = cv2.warpAffine(self._mask, push, self._size)[..., None]
        pasted = (over * share + image * (1 - share)).astype(np.uint8)
        pose = self.hand.pose(scale=scale)
        return render_flat(self.sheet._replace(image=pasted), pose, self.background)


class Animated(PhotoAttack):
    """A photo animated by software in the plane: the middle of the face moves, and its shading.

    This is impossible with a printed photo. The frames do not come from a camera.
    """

    def __init__(self, photo: Portrait, random: Random) -> None:
        super().__init__(photo, random)
        landmarks = photo.face.landmarks
        across = landmarks[:2].mean(axis=0) - landmarks[2:4].mean(axis=0)
        self._between = float(np.hypot(*across))
        self._reach, self._shade = random.uniform(0.3, 0.8), random.uniform(0.5, 1)
        height, width = self.sheet.image.shape[:2]
        rows, columns = np.mgrid[:height, :width].astype(np.float32)
        self._at = np.dstack([columns, rows])
        aside = (self._at - landmarks[4].astype(np.float32)) / np.float32(self._between)
        square = (aside**2).sum(axis=2, keepdims=True)
        self._share = np.exp(-square / 0.8**2)
        self._lit = aside * np.exp(-square / 1.5**2)

    def shot(self, way: NDArray[np.float64], scale: float) -> Image:
        """Return the photo."""
        step = (way * self._reach).astype(np.float32)
        source = self._at - step * np.float32(self._between) * self._share
        x, y = cv2.split(source)
        moved = cv2.remap(self.sheet.image, x, y, cv2.INTER_LINEAR)
        light = 1 - self._shade * (self._lit @ step)[..., None]
        image = (moved * light).clip(0, 255).astype(np.uint8)
        pose = self.hand.pose(scale=scale)
        return render_flat(self.sheet._replace(image=image), pose, self.background)


def _piece_mask(
    landmarks: Landmarks, piece: Piece, size: tuple[int, int]
) -> tuple[float, NDArray[np.float32]]:
    """Return the distance between the eyes in pixels, and a mask, float32 (height, width)."""
    eyes = landmarks[:4].mean(axis=0)
    across = landmarks[:2].mean(axis=0) - landmarks[2:4].mean(axis=0)
    x, y = eyes + piece.below * (landmarks[4] - eyes)
    between = float(np.hypot(*across))
    width, height = between * 2 * np.array([piece.half_width, piece.half_height])
    angle = float(np.degrees(np.arctan2(across[1], across[0])))
    corners = cv2.boxPoints(((x, y), (width, height), angle)).round().astype(np.int32)
    mask = np.zeros(size[::-1], np.float32)
    cv2.fillConvexPoly(mask, corners, 1.0)
    return between, mask
