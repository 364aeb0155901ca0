"""Multi-photo attacks: the attacker has many photos of the person and shows them in turn."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from .photo_attacks import Frames, Portrait
from .rendering import Hand, Image, Sheet, add_noise, maybe_room, random_movement, render_flat

SIDE, AROUND = 480, 2.4  # side of a normalised photo in pixels, and in units of the face
MAX_YAWS = (0.25, 0.45)  # range of the largest yaw of an attack, if there are photos for it
SAME_YAW = 0.05  # the attacker may choose among photos whose yaws differ by less


class Album:
    """The photos of one person and their mirror images.

    Args:
        photos: The photos.

    Attributes:
        frontal: The photo that looks most nearly straight ahead.
    """

    def __init__(self, photos: Sequence[Portrait]) -> None:
        both = [*photos, *(photo.mirrored() for photo in photos)]
        self.frontal = min(photos, key=lambda photo: abs(photo.face.yaw))
        self._photos = sorted(both, key=lambda photo: photo.face.yaw)
        self._yaws = np.array([photo.face.yaw for photo in self._photos]) - self.frontal.face.yaw

    @property
    def reach(self) -> float:
        """The largest yaw to which there are photos on both sides, from the frontal one."""
        return float(min(-self._yaws[0], self._yaws[-1]))

    def random_reach(self, random: np.random.Generator) -> float:
        """Return a random yaw to turn to, within `reach`."""
        return min(self.reach, random.uniform(*MAX_YAWS))

    def normalised(self, photo: Portrait) -> Image:
        """Return the photo with an upright, centred face, as large and bright as the frontal one.

        Returns:
            RGB, uint8 (SIDE, SIDE, 3).
        """
        sheet = photo.sheet
        across = photo.face.landmarks[:2].mean(axis=0) - photo.face.landmarks[2:4].mean(axis=0)
        angle = float(np.degrees(np.arctan2(across[1], across[0])))
        scale = SIDE / AROUND / sheet.size
        matrix = np.asarray(cv2.getRotationMatrix2D(sheet.centre, angle, scale), np.float64)
        matrix[:, 2] += SIDE / 2 - np.array(sheet.centre)
        upright = cv2.warpAffine(sheet.image, matrix, (SIDE, SIDE), borderMode=cv2.BORDER_REPLICATE)
        gain = (_colour(self.frontal) + 1) / (_colour(photo) + 1)
        return (upright * gain).clip(0, 255).astype(np.uint8)

    def at_yaw(
        self, yaw: float, random: np.random.Generator | None = None, like: Portrait | None = None
    ) -> Portrait:
        """Return the photo whose yaw is nearest.

        Args:
            yaw: From the frontal photo.
            random: Choose at random among the photos that are about as near.
            like: Choose the photo among them whose face is most like this one.
        """
        distances = np.abs(self._yaws - yaw)
        near = [
            self._photos[index] for index in np.flatnonzero(distances <= distances.min() + SAME_YAW)
        ]
        if like is not None:
            return min(near, key=lambda photo: np.linalg.norm(photo.encoding - like.encoding))
        if random is not None:
            return near[random.integers(len(near))]
        return self._photos[int(distances.argmin())]


AlbumAttack = Callable[[Album, Sequence[str], np.random.Generator], Frames]


def swapped(album: Album, turns: Sequence[str], random: np.random.Generator) -> Frames:
    """Swap the frontal photo for turned ones, with nothing in between."""
    steps = random_movement(turns, random)
    sides = {side: album.at_yaw(side * album.random_reach(random), random) for side in (-1, 1)}
    shown = [sides[int(np.sign(step))] if abs(step) > 0.5 else album.frontal for step in steps]
    return _shown([album.normalised(photo) for photo in shown], random)


def faded(album: Album, turns: Sequence[str], random: np.random.Generator) -> Frames:
    """Fade from the frontal photo to turned ones and back."""
    steps = random_movement(turns, random)
    middle = album.normalised(album.frontal).astype(np.float64)
    sides = {
        side: album.normalised(album.at_yaw(side * album.random_reach(random), random))
        for side in (-1, 1)
    }
    shown = [
        (middle + (sides[1 if step > 0 else -1] - middle) * abs(step)).astype(np.uint8)
        for step in steps
    ]
    return _shown(shown, random)


def stepwise(album: Album, turns: Sequence[str], random: np.random.Generator) -> Frames:
    """Show a photo of the right yaw in each frame, as like the one before as possible."""
    reach = album.random_reach(random)
    shown = [album.frontal]
    for step in random_movement(turns, random)[1:]:
        shown.append(album.at_yaw(reach * step, like=shown[-1]) if step else album.frontal)
    return _shown([album.normalised(photo) for photo in shown], random)


def _shown(images: Sequence[Image], random: np.random.Generator) -> Frames:
    background = maybe_room(random)
    hand = Hand(random, len(images))
    middle = (SIDE / 2, SIDE / 2)
    return [
        add_noise(
            render_flat(Sheet(image, middle, SIDE / AROUND), hand.pose(n), background), random
        )
        for n, image in enumerate(images)
    ]


def _colour(photo: Portrait) -> NDArray[np.float64]:
    left, top, right, bottom = np.maximum(photo.face.box, 0)
    return np.asarray(photo.image[top:bottom, left:right].mean(axis=(0, 1)), np.float64)
