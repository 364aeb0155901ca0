"""Talk with a site's ``/face/frames/``, as a page does: show frames, and follow the steps."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple, Protocol
from unittest import mock

from faceauth.liveness import challenge

from .rendering import Image, encode_jpeg

RATE = 10  # frames a second
MAX_SECONDS = 30.0


class Reply(NamedTuple):
    """The site's answer to a request.

    Attributes:
        status: The HTTP status.
        payload: The JSON; empty if there is none.
    """

    status: int
    payload: Mapping[str, Any]

    @property
    def code(self) -> str:
        """The code of the error, or "" if there is none."""
        error = self.payload.get("error")
        if isinstance(error, Mapping):
            return str(error.get("code", ""))
        return "" if self.status == 200 else f"status {self.status}"


class Outcome(NamedTuple):
    """How a conversation ended.

    Attributes:
        challenge: The challenge's id.
        passed: The site took the frames for a live person.
        reason: Why not; "" if it did.
        seconds: From the first frame to the last answer.
        steps: The steps that were shown.
        frames: The frames that were sent, JPEG files.
    """

    challenge: str
    passed: bool
    reason: str
    seconds: float
    steps: tuple[str, ...]
    frames: tuple[bytes, ...]


# Sends the fields of a form and frames to the site.
Post = Callable[[Mapping[str, str], Sequence[bytes]], Reply]

# Returns the frame for a step, "" before the first, that was shown so many seconds ago.
Show = Callable[[str, float], Image]


class Clock(Protocol):
    """The time that passes between frames."""

    def now(self) -> float:
        """Return the time in seconds."""

    def wait(self, seconds: float) -> None:
        """Let that many seconds pass."""


class RealClock:
    """The time of everybody."""

    def now(self) -> float:
        """Return the time in seconds."""
        return time.monotonic()

    def wait(self, seconds: float) -> None:
        """Sleep."""
        time.sleep(seconds)


class QuickClock:
    """A time that passes without waiting, also for the challenges of this process."""

    def __init__(self) -> None:
        self._now = time.time()

    def now(self) -> float:
        """Return the time in seconds."""
        return self._now

    def wait(self, seconds: float) -> None:
        """Advance the time."""
        self._now += seconds

    @contextmanager
    def installed(self) -> Iterator[None]:
        """Make it the clock of all challenges."""
        with mock.patch.object(challenge, "now", self.now):
            yield


def talk(
    post: Post, show: Show, clock: Clock, *, purpose: str = "login", username: str = ""
) -> Outcome:
    """Open a challenge and answer it.

    Args:
        post: Sends frames to the site.
        show: Returns the frames.
        clock: The time between them.
        purpose: What the challenge is for.
        username: The name that is given with the first frames.
    """
    start = since = clock.now()
    opening = {"purpose": purpose, **({"username": username} if username else {})}
    name, step, number = "", ("", 0), 1
    steps: list[str] = []
    sent: list[bytes] = []
    while clock.now() - start < MAX_SECONDS:
        frame = encode_jpeg(show(step[0], clock.now() - since))
        sent.append(frame)
        reply = post({"challenge": name, "number": str(number), **opening}, [frame])
        clock.wait(1 / RATE)
        seconds = clock.now() - start
        if reply.status != 200:
            return Outcome(name, False, reply.code, seconds, tuple(steps), tuple(sent))
        name, opening = str(reply.payload["challenge"]), {}
        number = int(reply.payload["number"]) + 1
        if reply.payload["state"] == "passed":
            return Outcome(name, True, "", seconds, tuple(steps), tuple(sent))
        asked = reply.payload["step"]
        shown = (str(asked["name"]), int(asked["done"])) if asked else ("", 0)
        if shown != step:
            step, since = shown, clock.now()
            steps.append(step[0])
    return Outcome(name, False, str(reply.payload["code"]), seconds, tuple(steps), tuple(sent))
