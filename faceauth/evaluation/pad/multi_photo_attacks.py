"""Attacks by somebody who has many photos of a person, and shows one after another."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from .photo_attacks import Frames, Portrait
from .rendering import Hand, Image, Sheet, drawn_movement, held, maybe_room, webcam

SIDE, AROUND = 480, 2.4  # pixels of a levelled photo, and how many faces fit into it
MOST_TURNED = (0.25, 0.45)  # of yaw: how far an attacker goes, where there are photos
ALIKE = 0.05  # of yaw: among photos that are turned as far, one may choose


class Album:
    """All photos of one person and their mirror images, brought to one place, size and
    brightness.
    """

    def __init__(self, photos: Sequence[Portrait]) -> None:
        both = [*photos, *(photo.mirrored() for photo in photos)]
        self.frontal = min(photos, key=lambda photo: abs(photo.face.yaw))
        self._photos = sorted(both, key=lambda photo: photo.face.yaw)
        self._yaws = np.array([photo.face.yaw for photo in self._photos]) - self.frontal.face.yaw

    @property
    def reach(self) -> float:
        """How far the most turned photos look, to the side where that is less."""
        return float(min(-self._yaws[0], self._yaws[-1]))

    def most(self, random: np.random.Generator) -> float:
        """How far to turn."""
        return min(self.reach, random.uniform(*MOST_TURNED))

    def levelled(self, photo: Portrait) -> Image:
        """The photo upright, uint8 (SIDE, SIDE, 3), its face in the middle as large and as bright
        as in the frontal one.
        """
        sheet = photo.sheet
        across = photo.face.landmarks[:2].mean(axis=0) - photo.face.landmarks[2:4].mean(axis=0)
        angle = float(np.degrees(np.arctan2(across[1], across[0])))
        scale = SIDE / AROUND / sheet.size
        matrix = np.asarray(cv2.getRotationMatrix2D(sheet.middle, angle, scale), np.float64)
        matrix[:, 2] += SIDE / 2 - np.array(sheet.middle)
        levelled = cv2.warpAffine(
            sheet.image, matrix, (SIDE, SIDE), borderMode=cv2.BORDER_REPLICATE
        )
        gain = (_colour(self.frontal) + 1) / (_colour(photo) + 1)
        return (levelled * gain).clip(0, 255).astype(np.uint8)

    def turned(
        self, yaw: float, random: np.random.Generator | None = None, like: Portrait | None = None
    ) -> Portrait:
        """The photo turned most nearly so far; of those that are about as near, one at `random` or
        the one most `like` another.
        """
        off = np.abs(self._yaws - yaw)
        near = [self._photos[index] for index in np.flatnonzero(off <= off.min() + ALIKE)]
        if like is not None:
            return min(near, key=lambda photo: np.linalg.norm(photo.encoding - like.encoding))
        if random is not None:
            return near[random.integers(len(near))]
        return self._photos[int(off.argmin())]


AlbumAttack = Callable[[Album, Sequence[str], np.random.Generator], Frames]


def swapped(album: Album, turns: Sequence[str], random: np.random.Generator) -> Frames:
    """The frontal photo and turned ones, and nothing between."""
    steps = drawn_movement(turns, random)
    sides = {side: album.turned(side * album.most(random), random) for side in (-1, 1)}
    shown = [sides[int(np.sign(step))] if abs(step) > 0.5 else album.frontal for step in steps]
    return _shown([album.levelled(photo) for photo in shown], random)


def faded(album: Album, turns: Sequence[str], random: np.random.Generator) -> Frames:
    """The same, each fading into the next."""
    steps = drawn_movement(turns, random)
    middle = album.levelled(album.frontal).astype(np.float64)
    sides = {
        side: album.levelled(album.turned(side * album.most(random), random)) for side in (-1, 1)
    }
    shown = [
        (middle + (sides[1 if step > 0 else -1] - middle) * abs(step)).astype(np.uint8)
        for step in steps
    ]
    return _shown(shown, random)


def leafed(album: Album, turns: Sequence[str], random: np.random.Generator) -> Frames:
    """Frame by frame a photo that is turned as it should be, as like the one before as there is."""
    most = album.most(random)
    shown = [album.frontal]
    for step in drawn_movement(turns, random)[1:]:
        shown.append(album.turned(most * step, like=shown[-1]) if step else album.frontal)
    return _shown([album.levelled(photo) for photo in shown], random)


def _shown(images: Sequence[Image], random: np.random.Generator) -> Frames:
    behind = maybe_room(random)
    hand = Hand(random, len(images))
    middle = (SIDE / 2, SIDE / 2)
    return [
        webcam(held(Sheet(image, middle, SIDE / AROUND), hand.pose(n), behind), random)
        for n, image in enumerate(images)
    ]


def _colour(photo: Portrait) -> NDArray[np.float64]:
    left, top, right, bottom = np.maximum(photo.face.box, 0)
    return np.asarray(photo.image[top:bottom, left:right].mean(axis=(0, 1)), np.float64)
