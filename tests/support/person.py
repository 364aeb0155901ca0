"""A person before a webcam who does what a challenge asks, on a clock of their own."""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import numpy as np

from faceauth.evaluation.pad.puppet import Puppet
from faceauth.evaluation.pad.puppet_attacks import NEARER, TURN, Actor
from faceauth.evaluation.pad.rendering import Image, encode_jpeg
from faceauth.evaluation.pad.talk import Clock, Outcome, QuickClock, Reply, talk
from faceauth.evaluation.pad.visitor import Upload
from faceauth.vision import Engine, decode_image
from tests.support.faces import Faces

__all__ = ["NEARER", "TURN", "Person", "Upload", "conversation", "converse", "puppet"]

REACTION = 0.35  # seconds from a step to the movement
MOVEMENT = 0.5  # seconds that it takes

POSTURE = 5.0  # degrees, from take to take


class Person(Actor):
    """Somebody who is asked to move the head: `Person("obama")`.

    Args:
        name: Of a photograph in `Faces`.
        reaction: Seconds from a step to the movement.
        movement: Seconds that a movement takes.
        seed: Of what differs from frame to frame and from take to take.

    Attributes:
        turn: How far the head turns, in degrees.
        smile: How much they smile, from 0 to 1.
    """

    def __init__(
        self, name: str, *, reaction: float = REACTION, movement: float = MOVEMENT, seed: int = 0
    ) -> None:
        super().__init__(puppet(name), np.random.default_rng(seed), reaction, movement)
        self.name = name
        # Nobody sits down twice in the same way, so that no take is a film of another one.
        turned = POSTURE * math.sqrt(seed % 7)
        posture = turned * np.array([math.cos(2.4 * seed), math.sin(2.4 * seed)])
        # Nor turned farther than in the photograph: too little of the face is in it for that.
        self._posture = -posture if posture @ puppet(name).held > 0 else posture

    def posed(self, yaw: float, pitch: float, nearer: float) -> Image:
        """Return the next frame of a head that is held so, from how the person sits."""
        return super().posed(yaw + self._posture[0], pitch + self._posture[1], nearer)

    def frame_for(self, step: str, since: float) -> Image:
        """Return what the camera sees, RGB, uint8 (480, 640, 3).

        Args:
            step: What is asked for, "" before the first step.
            since: How many seconds ago it was shown.
        """
        return self.frame(step, since)

    def jpeg_for(self, step: str, since: float) -> bytes:
        """Return the same as a page sends it."""
        return encode_jpeg(self.frame_for(step, since))


@cache
def puppet(name: str) -> Puppet:
    """Return the head of that photograph."""
    return Puppet(decode_image(Faces()[name]), Engine())


def converse(
    client: Any,
    purpose: str = "login",
    person: Person | str = "obama",
    username: str = "",
    *,
    clock: Clock | None = None,
    **headers: Any,
) -> str:
    """Pass a challenge over `POST /face/frames/`, and return its id.

    Args:
        client: Django's test client.
        purpose: What the challenge is for.
        person: Who sits before the camera.
        username: The name that is given, if any.
        clock: By default time passes without waiting, for the challenge as well.
        **headers: More of the requests' environment.
    """
    outcome = conversation(client, purpose, person, username, clock=clock, **headers)
    assert outcome.passed, outcome.reason
    return outcome.challenge


def conversation(
    client: Any,
    purpose: str = "login",
    person: Person | str = "obama",
    username: str = "",
    *,
    clock: Clock | None = None,
    **headers: Any,
) -> Outcome:
    """Answer a challenge as `converse` does, and return how it ended."""
    someone = Person(person) if isinstance(person, str) else person

    def post(fields: Any, frames: Any) -> Reply:
        files = [Upload(each) for each in frames]
        response = client.post(
            "/face/frames/", {**fields, "frame": files}, HTTP_ACCEPT="application/json", **headers
        )
        return Reply(response.status_code, response.json())

    options: Any = {"purpose": purpose, "username": username}
    if clock is not None:
        return talk(post, someone.frame_for, clock, **options)
    quick = QuickClock()
    with quick.installed():
        return talk(post, someone.frame_for, quick, **options)
