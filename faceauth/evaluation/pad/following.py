"""Follow the steps of a challenge, as a person does or an attacker."""

from __future__ import annotations

import math
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from faceauth.liveness.steps import CLOSER, DIRECTIONS

from .rendering import Image, Screen, add_noise


class Attacker(Protocol):
    """Somebody, or a program, who shows frames to a camera or posts them."""

    def frame(self, step: str, since: float) -> Image:
        """Return the next frame, RGB, uint8 (height, width, 3).

        Args:
            step: What is asked for; "" before the first step.
            since: How many seconds ago it was shown.
        """


class OnScreen:
    """What another attacker makes, shown to the camera on a screen."""

    def __init__(self, attacker: Attacker, random: np.random.Generator) -> None:
        self._attacker, self._random = attacker, random
        self._screen = Screen(random)

    def frame(self, step: str, since: float) -> Image:
        """Return the next frame, with the noise of a camera."""
        return add_noise(self._screen.show(self._attacker.frame(step, since)), self._random)


class Follower:
    """The place of a head, or of what is shown as one, while steps are shown one after another.

    Args:
        reaction: Seconds from a step to the movement.
        movement: Seconds that the movement takes.
    """

    def __init__(self, reaction: float, movement: float) -> None:
        self._reaction, self._movement = reaction, movement
        self._step, self._since = "", 0.0
        self._from = self._now = np.zeros(3)

    def at(self, step: str, since: float) -> NDArray[np.float64]:
        """Return how far the head is to the person's left, up and forward, float64 (3,).

        Each is 1 where the movement ends. What is asked for next begins where the head is; it
        stays as near as it has come.

        Args:
            step: What is asked for; "" before the first step, when the head looks ahead.
            since: How many seconds ago it was shown.
        """
        if step != self._step or since < self._since:
            self._from = self._now
        self._step, self._since = step, since
        share = min(max((since - self._reaction) / self._movement, 0.0), 1.0)
        # Slow at first and at the end.
        way = (1 - math.cos(math.pi * share)) / 2
        self._now = self._from + way * (self._goal(step) - self._from)
        return self._now

    def _goal(self, step: str) -> NDArray[np.float64]:
        if step == CLOSER:
            return np.array([0.0, 0.0, 1.0])
        if step in DIRECTIONS:
            return np.array([*DIRECTIONS[step], self._from[2]])
        return np.zeros(3)
