"""Talk with a site's ``/face/frames/``, as a page does: show frames, and follow the steps."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple, Protocol
from unittest import mock

from faceauth.errors import Replayed
from faceauth.liveness import challenge, prompts

from .rendering import Image, encode_jpeg

RATE = 10  # frames a second
MAX_SECONDS = 30.0
PATIENCE = 4.0  # seconds until the first step is shown


class Reply(NamedTuple):
    """The site's answer to a request.

    Attributes:
        status: The HTTP status.
        payload: The JSON; empty if there is none.
        headers: Names, in lower case, and values.
        text: The body.
    """

    status: int
    payload: Mapping[str, Any]
    headers: Sequence[tuple[str, str]] = ()
    text: str = ""

    @property
    def user(self) -> str:
        """The name of the user who is logged in now, or ""."""
        return str((self.payload.get("user") or {}).get("username", ""))

    @property
    def code(self) -> str:
        """The reason why it is not what was hoped for, or ""."""
        if self.payload.get("code_required"):
            return "code_required"
        error = self.payload.get("error")
        if isinstance(error, Mapping):
            code = str(error.get("code", ""))
            # The reasons why a challenge fails are told in words only.
            return _reasons().get(str(error.get("message")), code)
        return "" if self.status == 200 else f"status {self.status}"


class Shown(NamedTuple):
    """A frame that was shown.

    Attributes:
        step: What was asked for; "" before the first step.
        since: How many seconds before the step was shown.
        data: A JPEG file.
    """

    step: str
    since: float
    data: bytes


class Outcome(NamedTuple):
    """How a conversation ended.

    Attributes:
        challenge: The challenge's id.
        nonce: What the key of a trusted device has to sign; "" if there is none.
        passed: The site took the frames for a live person.
        reason: Why not; "" if it did.
        seconds: From the first frame to the last answer.
        steps: The steps that were shown.
        frames: The frames that were sent.
    """

    challenge: str
    nonce: str
    passed: bool
    reason: str
    seconds: float
    steps: tuple[str, ...]
    frames: tuple[Shown, ...]


def _reasons() -> dict[str, str]:
    told = {str(text): reason.value for reason, text in prompts.REASONS.items()}
    return {**told, str(Replayed.default_message): "replayed"}


# Sends the fields of a form and frames to the site.
Post = Callable[[Mapping[str, str], Sequence[bytes]], Reply]

# Returns the frame for a step, "" before the first, that was shown so many seconds ago: its pixels,
# or a JPEG file.
Show = Callable[[str, float], Image | bytes]


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
    post: Post,
    show: Show,
    clock: Clock,
    *,
    purpose: str = "login",
    username: str = "",
    patience: float = PATIENCE,
) -> Outcome:
    """Open a challenge and answer it.

    Args:
        post: Sends frames to the site.
        show: Returns the frames.
        clock: The time between them.
        purpose: What the challenge is for.
        username: The name that is given with the first frames.
        patience: Seconds after which one gives up to whom no step was shown.
    """
    start = since = clock.now()
    opening = {"purpose": purpose, **({"username": username} if username else {})}
    name, nonce, step, number, reason = "", "", ("", 0), 1, "no_step"
    steps: list[str] = []
    sent: list[Shown] = []
    shown_as: dict[int, bytes] = {}
    while clock.now() - start < MAX_SECONDS:
        late = clock.now() - since
        frame = show(step[0], late)
        data = frame if isinstance(frame, bytes) else encode_jpeg(frame)
        sent.append(Shown(step[0], late, data))
        fields = {"challenge": name, "number": str(number), **opening}
        shown_as[number] = data
        reply = post(fields, [data])
        clock.wait(1 / RATE)
        if again := reply.payload.get("again"):
            if any(each not in shown_as for each, _index in again):
                # An earlier talk has sent them, which came to no end.
                reason = "again"
                break
            fields.update(challenge=str(reply.payload["challenge"]), number=str(number + 1))
            reply = post(fields, [shown_as[each] for each, _index in again])
        reason = reply.code
        if reason:
            break
        nonce = nonce or str(reply.payload.get("device_nonce", ""))
        name, opening = str(reply.payload["challenge"]), {}
        number = int(reply.payload["number"]) + 1
        if reply.payload["state"] == "passed":
            break
        reason = str(reply.payload.get("code", "no_step"))
        if not steps and clock.now() - start > patience:
            break
        asked = reply.payload["step"]
        shown = (str(asked["name"]), int(asked["done"])) if asked else ("", 0)
        if shown != step:
            step, since = shown, clock.now()
            steps.append(step[0])
    return Outcome(name, nonce, not reason, reason, clock.now() - start, tuple(steps), tuple(sent))
