"""Attacks with a film of the person: as it is, cut live to the steps, or an answer sent again."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from faceauth.liveness import steps
from faceauth.liveness.steps import CLOSER, DIRECTIONS
from faceauth.vision import decode_image

from .films import RATE, Film, fitted
from .puppet import Puppet
from .puppet_attacks import DELAY, NEARER, TURN, Actor
from .rendering import Image, add_noise, encode_jpeg
from .talk import Shown

Random = np.random.Generator

# Of a film in which somebody moves and looks ahead again: seconds.
AHEAD, AWAY, HELD = 0.3, 0.5, 0.3
ROUND = AHEAD + 2 * AWAY + HELD


class Recorded:
    """A film of a person who makes movements in an order of their own, each from the middle.

    The film waits at its beginning until the first step is shown.

    Args:
        puppet: The person.
        order: The movements, over and over.
        random: The random numbers of this attempt.
    """

    def __init__(self, puppet: Puppet, order: Sequence[str], random: Random) -> None:
        self._actor = Actor(puppet, random, 0.0, AWAY)
        self._order, self._time = order, 0.0

    def frame(self, step: str, since: float) -> Image:
        """Return the next frame."""
        if not step:
            return self._actor.frame("", 0)
        self._time += 1 / RATE
        number, place = divmod(self._time, ROUND)
        movement = self._order[int(number) % len(self._order)]
        away = min(place - AHEAD, ROUND - place) / AWAY
        share = (1 - np.cos(np.pi * min(max(away, 0.0), 1.0))) / 2
        left, up = DIRECTIONS.get(movement, (0, 0))
        nearer = NEARER**share if movement == CLOSER else 1.0
        return self._actor.posed(TURN * left * share, TURN * up * share, nearer)


class Cut:
    """A library of films, one of each movement, cut live to the steps.

    Before the next movement the film before runs backwards, at twice its speed, or is cut off.

    Args:
        puppet: The person.
        random: The random numbers of this attempt.
    """

    def __init__(self, puppet: Puppet, random: Random) -> None:
        self._puppet, self._random = puppet, random
        self._films: dict[str, list[Image]] = {}
        # Half of the libraries have one side only.
        self._mirrors, self._backwards = random.random(2) < 0.5
        self._step, self._queue = "", list[Image]()
        self._held: list[Image] = []

    def frame(self, step: str, since: float) -> Image:
        """Return the next frame."""
        if step != self._step and since >= DELAY:
            back = self._film(self._step)[::-2] if self._backwards and self._step else []
            self._queue = [*back, *self._film(step)]
            self._held = self._film(step)[-3:]
            self._step = step
        if self._queue:
            return self._queue.pop(0)
        self._held = self._held or self._film("")
        # The end of a film, to and fro, so that it does not stand still.
        self._held = [*self._held[1:], self._held[0]]
        return self._held[0]

    def _film(self, step: str) -> list[Image]:
        """Return the film of one movement, from the middle."""
        if step not in self._films:
            mirrored = steps.mirrored(step)
            if self._mirrors and mirrored and step.startswith("right"):
                film = [np.ascontiguousarray(each[:, ::-1]) for each in self._film(mirrored)]
            else:
                actor = Actor(self._puppet, self._random, 0.0, AWAY)
                count = round((AWAY + HELD) * RATE) + 1
                film = [actor.frame(step, number / RATE) for number in range(count)]
            self._films[step] = film
        return self._films[step]


class Played:
    """A film or a picture as it is, over and over, whatever is asked.

    Args:
        film: The film.
        random: The random numbers of this attempt.
    """

    def __init__(self, film: Film, random: Random) -> None:
        self._frames, self._random = film.frames, random
        self._next = int(random.integers(len(film.frames)))

    def frame(self, step: str, since: float) -> Image:
        """Return the next frame."""
        self._next = (self._next + 1) % len(self._frames)
        return add_noise(fitted(self._frames[self._next]), self._random)


class Alteration:
    """An alteration of all frames of an answer, so that they are no copies.

    Attributes:
        mirrored: It looks in a mirror.
    """

    def __init__(self, random: Random) -> None:
        self._random = random
        self._quality = int(random.integers(40, 90))
        cropped, scaled, relit, noisy, self.mirrored = random.random(5) < (0.5, 0.5, 0.5, 0.5, 0.2)
        self._crop = random.uniform(0, 0.06, 4) * cropped
        self._scale = random.uniform(0.8, 1.2) if scaled else 1.0
        levels = np.linspace(0, 1, 256)[:, None] ** (random.uniform(0.7, 1.4) if relit else 1.0)
        colours = random.uniform(0.9, 1.1, 3) if relit else np.ones(3)
        self._table = (255 * levels * colours).clip(0, 255).astype(np.uint8)
        self._noisy = bool(noisy)

    def __call__(self, image: Image) -> Image:
        """Return the altered frame."""
        height, width = image.shape[:2]
        top, bottom = round(height * self._crop[0]), height - round(height * self._crop[1])
        left, right = round(width * self._crop[2]), width - round(width * self._crop[3])
        relit = cv2.LUT(image[top:bottom, left:right], self._table[None])
        image = np.asarray(cv2.resize(relit, None, fx=self._scale, fy=self._scale), np.uint8)
        if self.mirrored:
            image = np.ascontiguousarray(image[:, ::-1])
        if self._noisy:
            image = add_noise(image, self._random)
        return decode_image(encode_jpeg(image, self._quality))

    def step(self, step: str) -> str:
        """Return the step that an answer to this one answers now."""
        return (steps.mirrored(step) or step) if self.mirrored else step


class Replayed:
    """An answer that was accepted before, altered, to a challenge that asks for the same.

    Args:
        answer: What was shown then.
        alteration: Of all frames.
    """

    def __init__(self, answer: Sequence[Shown], alteration: Alteration) -> None:
        self._answer = [each._replace(step=alteration.step(each.step)) for each in answer]
        self._alteration, self._last = alteration, -1

    def frame(self, step: str, since: float) -> Image:
        """Return the frame that was shown at the same moment."""
        coming = range(self._last + 1, len(self._answer))
        same = [each for each in coming if self._answer[each].step == step]
        nearest = {each: abs(self._answer[each].since - since) for each in same}
        self._last = min(nearest, key=nearest.__getitem__, default=self._last)
        shown = self._answer[max(self._last, 0)]
        return self._alteration(decode_image(shown.data))
