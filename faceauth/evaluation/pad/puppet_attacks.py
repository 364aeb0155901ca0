"""Attacks by software that moves a photo as a head moves, or exchanges photos, as steps are shown.

The frames are posted without a camera, or shown to one on a screen.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from faceauth.liveness.steps import DIRECTIONS

from .following import Follower
from .portraits import Portrait
from .puppet import Puppet
from .rendering import FACE, HEIGHT, WIDTH, Image, add_noise

Random = np.random.Generator

TURN = 20.0  # degrees
NEARER = 1.32  # times the size at rest

SWAY = 0.6  # degrees, slowly
WAVER = 0.25  # degrees, from frame to frame

# What a program takes to see the step and to answer it, in seconds, and the movement.
DELAY, MOVEMENT = 0.3, 0.5


class Actor:
    """A puppet that does what is asked, and otherwise is as restless as a head.

    Args:
        puppet: The photo.
        random: The random numbers of this attempt.
        reaction: Seconds from a step to the movement.
        movement: Seconds that a movement takes.

    Attributes:
        turn: How far the head turns, in degrees.
        smile: How much it smiles, from 0 to 1.
    """

    def __init__(
        self, puppet: Puppet, random: Random, reaction: float = DELAY, movement: float = MOVEMENT
    ) -> None:
        self.turn, self.smile = TURN, 0.0
        self._puppet, self._random = puppet, random
        self._follower = Follower(reaction, movement)
        self._phases, self._time = random.uniform(0, 2 * np.pi, 4), 0

    def frame(self, step: str, since: float) -> Image:
        """Return the next frame, RGB, uint8 (480, 640, 3), with the noise of a camera.

        Args:
            step: What is asked for; "" before the first step.
            since: How many seconds ago it was shown.
        """
        left, up, near = self._follower.at(step, since)
        return self.posed(self.turn * left, self.turn * up, NEARER**near)

    def posed(self, yaw: float, pitch: float, nearer: float) -> Image:
        """Return the next frame of a head that is held so."""
        self._time += 1
        sway = np.sin(self._time * np.array([0.19, 0.27, 0.14, 0.23]) + self._phases)
        waver = self._random.normal(0, WAVER, 2)
        image = self._puppet.frame(
            yaw + SWAY * sway[0] + waver[0],
            pitch + SWAY * sway[1] + waver[1],
            nearer=nearer,
            x=0.004 * sway[2],
            y=0.004 * sway[3],
            smile=self.smile,
        )
        return add_noise(image, self._random)


class TwoHeads:
    """The attacker's own head turns, and the photo is shown while it looks ahead.

    Args:
        own: The attacker's head.
        photo: The person's.
        random: The random numbers of this attempt.
    """

    def __init__(self, own: Puppet, photo: Puppet, random: Random) -> None:
        self._own, self._photo = Actor(own, random), Actor(photo, random)
        self._follower = Follower(DELAY, MOVEMENT)
        # The share of the movement over which one fades into the other.
        self._fading = random.choice((0.01, random.uniform(0.2, 0.6)))
        self._late = random.uniform(0.2, 0.9 - self._fading)

    def frame(self, step: str, since: float) -> Image:
        """Return the next frame."""
        left, up, near = self._follower.at(step, since)
        pose = TURN * left, TURN * up, NEARER**near
        share = (float(np.hypot(left, up)) - self._late) / self._fading
        if share <= 0:
            return self._photo.posed(*pose)
        if share >= 1:
            return self._own.posed(*pose)
        photo, own = self._photo.posed(*pose), self._own.posed(*pose)
        return np.asarray(cv2.addWeighted(own, share, photo, 1 - share, 0), np.uint8)


class Album:
    """Photos of one person, and their mirror images: the one that is turned as asked is shown.

    Args:
        photos: At least one photo.
        random: The random numbers of this attempt.
    """

    def __init__(self, photos: Sequence[Portrait], random: Random) -> None:
        self._photos = [*photos, *(photo.mirrored() for photo in photos)]
        self._ahead = min(self._photos, key=lambda photo: photo.aside)
        self._random, self._follower = random, Follower(DELAY, MOVEMENT)
        self._fades = bool(random.random() < 0.5)
        self._step = ""
        self._before = self._after = _upright(self._ahead, self._ahead)

    def frame(self, step: str, since: float) -> Image:
        """Return the next frame: a photo, or one that fades into another."""
        near = self._follower.at(step, since)[2]
        if step != self._step:
            self._step, self._before = step, self._after
            if step in DIRECTIONS:
                self._after = _upright(self._turned(step), self._ahead)
        share = min(max((since - DELAY) / MOVEMENT, 0.0), 1.0)
        if not self._fades:
            share = float(share > 0.5)
        image = cv2.addWeighted(self._after, share, self._before, 1 - share, 0)
        zoom = cv2.getRotationMatrix2D((WIDTH / 2, HEIGHT / 2), 0, NEARER**near)
        moved = cv2.warpAffine(image, zoom, (WIDTH, HEIGHT), borderMode=cv2.BORDER_REPLICATE)
        return add_noise(np.asarray(moved, np.uint8), self._random)

    def _turned(self, step: str) -> Portrait:
        """Return the photo that is turned most nearly as asked."""
        goal = np.array(self._ahead.turn) + TURN * np.array(DIRECTIONS[step])
        return min(self._photos, key=lambda photo: float(np.hypot(*(goal - photo.turn))))


def _upright(photo: Portrait, like: Portrait) -> Image:
    """Return a photo with an upright, centred face, as bright as another photo's.

    Returns:
        RGB, uint8 (HEIGHT, WIDTH, 3).
    """
    sheet = photo.sheet
    across = photo.face.landmarks[:2].mean(axis=0) - photo.face.landmarks[2:4].mean(axis=0)
    angle = float(np.degrees(np.arctan2(across[1], across[0])))
    move = np.asarray(cv2.getRotationMatrix2D(sheet.centre, angle, FACE / sheet.size), np.float64)
    move[:, 2] += np.array([WIDTH / 2, HEIGHT / 2]) - sheet.centre
    upright = cv2.warpAffine(sheet.image, move, (WIDTH, HEIGHT), borderMode=cv2.BORDER_REPLICATE)
    gain = (_colour(like) + 1) / (_colour(photo) + 1)
    return (upright * gain).clip(0, 255).astype(np.uint8)


def _colour(photo: Portrait) -> NDArray[np.float64]:
    """Return the mean colour of the face, float64 (3,)."""
    left, top, right, bottom = np.maximum(photo.face.box, 0)
    return np.asarray(photo.image[top:bottom, left:right].mean(axis=(0, 1)), np.float64)
