"""A person before a webcam who does what a challenge asks, on a clock of their own."""

from __future__ import annotations

from functools import cache
from io import BytesIO
from typing import Any

import cv2
import numpy as np

from faceauth.evaluation.pad.following import Follower
from faceauth.evaluation.pad.puppet import Puppet
from faceauth.evaluation.pad.rendering import Image, add_noise
from faceauth.evaluation.pad.talk import Clock, Outcome, QuickClock, Reply, talk
from faceauth.vision import Engine, decode_image
from tests.support.faces import Faces

REACTION = 0.35  # seconds from a step to the movement
MOVEMENT = 0.5  # seconds that it takes

TURN = 20.0  # degrees
NEARER = 1.32  # times the size at rest

SWAY = 0.6  # degrees, slowly
WAVER = 0.25  # degrees, from frame to frame


class Upload(BytesIO):
    """A frame as a file of a form."""

    name, content_type = "frame.jpg", "image/jpeg"


class Person:
    """Somebody who is asked to move the head: `Person("obama")`.

    Args:
        name: Of a photograph in `Faces`.
        reaction: Seconds from a step to the movement.
        movement: Seconds that a movement takes.
        seed: Of what differs from frame to frame.

    Attributes:
        turn: How far the head turns, in degrees.
        smile: How much they smile, from 0 to 1.
    """

    def __init__(
        self, name: str, *, reaction: float = REACTION, movement: float = MOVEMENT, seed: int = 0
    ) -> None:
        self.name = name
        self.turn, self.smile = TURN, 0.0
        self._puppet = puppet(name)
        self._follower = Follower(reaction, movement)
        self._random = np.random.default_rng(seed)
        self._phases = self._random.uniform(0, 2 * np.pi, 4)

    def frame_for(self, step: str, since: float) -> Image:
        """Return what the camera sees, RGB, uint8 (480, 640, 3).

        Args:
            step: What is asked for, "" before the first step.
            since: How many seconds ago it was shown.
        """
        left, up, near = self._follower.at(step, since)
        at = 2 * np.pi * since * np.array([0.31, 0.43, 0.23, 0.37]) + self._phases
        sway = SWAY * np.sin(at)
        waver = self._random.normal(0, WAVER, 2)
        image = self._puppet.frame(
            self.turn * left + sway[0] + waver[0],
            self.turn * up + sway[1] + waver[1],
            nearer=NEARER**near,
            x=0.004 * float(np.sin(at[2])),
            y=0.004 * float(np.sin(at[3])),
            smile=self.smile,
        )
        return add_noise(image, self._random)

    def jpeg_for(self, step: str, since: float) -> bytes:
        """Return the same as a page sends it."""
        picture = cv2.cvtColor(self.frame_for(step, since), cv2.COLOR_RGB2BGR)
        _, data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 90])
        return data.tobytes()


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
