"""One conversation: the steps are shown one after another, each once the one before was seen.

It knows no database and no HTTP: `challenge` keeps it between requests.
"""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import NamedTuple

import numpy as np

from faceauth.vision.encoding import Encoding, template
from faceauth.vision.relief import Still, relief

from . import steps
from .sightings import Sighting
from .steps import LONGEST, Progress, Verdict

# How many encodings are compared with the template, and how far apart they are, in seconds.
AHEAD, APART = 3, 0.15
# Degrees from rest within which a frame still looks ahead.
STILL_AHEAD = 6.0

# Encodings of turned frames differ from the mean of the straight ones by up to 0.35 (160 frames of
# 10 heads in films); with their mirror images by up to 0.34. If another person is faded in, by 0.35
# at least: 51 of 69 such challenges were noticed either way.
SAME_AS_AHEAD_WITHIN = 0.38

# Sightings that are kept: at ten a second, longer than a conversation takes.
MAX_SIGHTINGS = 512

_HEADER = struct.Struct("<I")


class Reason(Enum):
    """The reasons why a conversation ends without success. The values are stored in events."""

    OTHER_WAY = "other_way"
    MIRRORED = "mirrored"
    LATE = "late"
    ANOTHER = "another"
    FLAT = "flat"
    REPLAYED = "replayed"


class NotLiveError(ValueError):
    """The frames do not show one live head that moves as asked.

    Attributes:
        reason: The rule that they break. The error's text names it as well.
    """

    def __init__(self, reason: Reason) -> None:
        super().__init__(f"not_live:{reason.value}")
        self.reason = reason


class Mark(NamedTuple):
    """A frame that the page has to send again, because its pixels are not kept.

    Attributes:
        number: The number of the request that it came with.
        position: Its place among the frames of that request.
        digest: The SHA-256 of the file.
        yaw: See `Sighting`.
        pitch: See `Sighting`.
        place: Where the face was, as shares of the frame: left, top, right, bottom.
    """

    number: int
    position: int
    digest: str
    yaw: float
    pitch: float
    place: tuple[float, float, float, float]


class Look(NamedTuple):
    """What one frame shows.

    Attributes:
        mark: What the frame is known by, should it be needed again.
        sighting: Where the head was, and how it was held.
        encode: Returns the encoding of the face, float32 (d,). It costs more than all the rest, so
            it is called only for the frames that are compared.
        glance: Returns one that is good enough to notice another person, in half of the time.
        comparable: Whether the frame is good enough to be compared.
        alone: Looks over the whole frame, and returns True if there is no other face. It is called
            for the frame that makes the last step, and again until the other person has left.
    """

    mark: Mark
    sighting: Sighting
    encode: Callable[[], Encoding]
    glance: Callable[[], Encoding]
    comparable: bool = True
    alone: Callable[[], bool] = lambda: True


@dataclass
class Conversation:
    """The steps of a challenge, and what was seen of the answer so far.

    Attributes:
        kind: "short" or "full".
        steps: The steps, in the order in which they are shown.
        scale: See `recognition.calibration.Calibration`.
        done: How many steps are done.
        rest: The head at rest, once it has been.
        shown: When the step was shown, in seconds since the challenge was opened; None if it was
            not shown yet.
        share: How much of the step is made, from 0 to 1.
        rested: The yaw and the pitch at rest of the session's challenge before, if that one failed.
        seconds: How long a step may take; the first one `steps.FIRST` times as long.
        seen: The head in each frame, from the one at rest on.
        ahead: Encodings of frames that look ahead.
        marks: The frame at rest, and the last one of each turn.
        has_relief: Whether the face in them has the relief of a head.
    """

    kind: str
    steps: list[str]
    scale: float = 1.0
    done: int = 0
    rest: Sighting | None = None
    shown: float | None = None
    share: float = 0.0
    rested: tuple[float, float] | None = None
    seconds: float = LONGEST
    encoded_at: float = -math.inf
    begin: int = 0
    seen: list[Sighting] = field(default_factory=list)
    ahead: list[Encoding] = field(default_factory=list)
    marks: list[Mark] = field(default_factory=list)
    has_relief: bool = False

    @classmethod
    def draw(
        cls,
        kind: str,
        scale: float = 1.0,
        rested: tuple[float, float] | None = None,
        seconds: float = LONGEST,
    ) -> Conversation:
        """Return a new conversation with steps drawn at random."""
        return cls(kind, steps.draw(kind), scale, rested=rested, seconds=seconds)

    @property
    def made(self) -> bool:
        """Return True once all steps were seen."""
        return self.done == len(self.steps)

    @property
    def passed(self) -> bool:
        """Return True once the face has been seen to have the relief of a head as well."""
        return self.made and self.has_relief

    @property
    def again(self) -> list[Mark]:
        """Return the frames that must be sent again now: their pixels show the relief."""
        return self.marks if self.made and not self.has_relief else []

    @property
    def step(self) -> str | None:
        """Return the step that is asked for now, or None before the first and after the last."""
        return None if self.rest is None or self.made else self.steps[self.done]

    @property
    def longest(self) -> float:
        """Return how long the step that is asked for now may take, in seconds."""
        return self.seconds * (1 if self.done else steps.FIRST)

    def see(self, look: Look) -> None:
        """Take the next frame with a face.

        Raises:
            NotLiveError: The head does not move as asked, or is another person's.
        """
        if self.made:
            return
        if self.step is None:
            self._wait_for_rest(look)
        elif self.shown is not None:
            self._follow(look)

    def compare(self, stills: Sequence[Still]) -> None:
        """Compare the face at rest with the turned ones.

        Args:
            stills: Of the frames that `again` asks for, in their order.

        Raises:
            NotLiveError: The face is flat, or bent as no head is.
        """
        rest, stood = self.marks[0], stills[0]
        for mark, still in zip(self.marks[1:], stills[1:], strict=True):
            turn = mark.yaw - rest.yaw, mark.pitch - rest.pitch
            if not relief(stood, still, turn).is_head:
                raise NotLiveError(Reason.FLAT)
        self.has_relief = True

    def show(self, at: float) -> None:
        """Note that the step that is asked for now is shown to the visitor.

        Args:
            at: The time, in seconds since the challenge was opened.
        """
        if self.step is not None and self.shown is None:
            self.shown = at

    def check_time(self, at: float) -> None:
        """Check that the step is not too old.

        Raises:
            NotLiveError: It is.
        """
        # A time before the step was shown is by a clock that was set back.
        if self.shown is not None and not self.made and abs(at - self.shown) > self.longest:
            raise NotLiveError(Reason.LATE)

    def _wait_for_rest(self, look: Look) -> None:
        if not look.comparable:
            self._forget()
            return
        self._keep(look)
        rest = steps.at_rest(self.seen, self.rested)
        if rest is None:
            # Frames from before the head was held still are no part of the answer.
            if not steps.is_still(self.seen):
                self._forget(keep=1)
            return
        self._forget(keep=2)
        self._encode_ahead(look)
        self.rest, self.begin, self.marks = rest, len(self.seen) - 1, [look.mark]

    def _follow(self, look: Look) -> None:
        assert self.rest is not None and self.shown is not None
        self._keep(look)
        progress = self._judge()
        self.share = progress.share
        if progress.verdict is Verdict.DONE:
            last = self.done + 1 == len(self.steps)
            if last and not look.alone():
                return
            self._check_person(look.glance())
            if self.steps[self.done] != steps.CLOSER:
                self.marks.append(look.mark)
            self.done, self.shown, self.share = self.done + 1, None, 0.0
            self.begin = len(self.seen) - 1
        elif progress.verdict is Verdict.WRONG:
            raise NotLiveError(self._why_wrong())
        elif progress.verdict is Verdict.LATE:
            raise NotLiveError(Reason.LATE)
        elif look.comparable and self._is_ahead(look.sighting):
            self._encode_ahead(look)

    def _judge(self, step: str | None = None) -> Progress:
        assert self.rest is not None and self.shown is not None
        asked = step or self.steps[self.done]
        return steps.judge(asked, self.rest, self.seen[self.begin :], self.shown, self.longest)

    def _why_wrong(self) -> Reason:
        """Return whether the movement is the mirror image of the one that was asked for."""
        mirror = steps.mirrored(self.steps[self.done])
        right = mirror is not None and self._judge(mirror).verdict is Verdict.DONE
        return Reason.MIRRORED if right else Reason.OTHER_WAY

    def _check_person(self, encoding: Encoding) -> None:
        """Check that an encoding is of the person who looked ahead before.

        Raises:
            NotLiveError: It is of another.
        """
        within = SAME_AS_AHEAD_WITHIN * self.scale
        apart = template(encoding[None]) - template(np.stack(self.ahead))
        if float(np.linalg.norm(apart)) > within:
            raise NotLiveError(Reason.ANOTHER)

    def _is_ahead(self, sighting: Sighting) -> bool:
        assert self.rest is not None
        turned = math.hypot(sighting.yaw - self.rest.yaw, sighting.pitch - self.rest.pitch)
        return turned <= STILL_AHEAD

    def _encode_ahead(self, look: Look) -> None:
        """Keep the encoding of a frame that looks ahead, if more are needed.

        Raises:
            NotLiveError: It shows another person than the frames before.
        """
        at = look.sighting.at
        if len(self.ahead) >= AHEAD or at - self.encoded_at < APART:
            return
        encoding = look.encode()
        if self.ahead:
            self._check_person(encoding)
        self.ahead.append(encoding)
        self.encoded_at = at

    def _keep(self, look: Look) -> None:
        self.seen.append(look.sighting)
        if len(self.seen) > MAX_SIGHTINGS:
            raise NotLiveError(Reason.LATE)

    def _forget(self, keep: int = 0) -> None:
        self.seen = self.seen[-keep:] if keep else []

    def pack(self) -> bytes:
        """Return the conversation as bytes."""
        size = self.ahead[0].shape[0] if self.ahead else 0
        head = json.dumps(
            {
                "kind": self.kind,
                "steps": self.steps,
                "scale": self.scale,
                "done": self.done,
                "rest": self.rest,
                "shown": self.shown,
                "share": self.share,
                "rested": self.rested,
                "seconds": self.seconds,
                "encoded_at": self.encoded_at if self.ahead else None,
                "begin": self.begin,
                "marks": self.marks,
                "has_relief": self.has_relief,
                "sizes": [len(self.seen), len(self.ahead), size],
            }
        ).encode()
        seen = np.array(self.seen, "<f4").tobytes()
        return _HEADER.pack(len(head)) + head + seen + np.array(self.ahead, "<f4").tobytes()

    @classmethod
    def unpack(cls, data: bytes) -> Conversation:
        """Return the conversation that `pack` returned as bytes."""
        (length,) = _HEADER.unpack_from(data)
        body = _HEADER.size + length
        head = json.loads(data[_HEADER.size : body])
        count, encodings, size = head.pop("sizes")
        width = len(Sighting._fields)
        seen = np.frombuffer(data, "<f4", count * width, body).reshape(count, width)
        ahead = np.frombuffer(data, "<f4", encodings * size, body + seen.nbytes)
        rest, encoded_at = head.pop("rest"), head.pop("encoded_at")
        rested = head.pop("rested")
        marks = [Mark._make([*each[:-1], tuple(each[-1])]) for each in head.pop("marks")]
        return cls(
            rest=Sighting(*rest) if rest else None,
            rested=tuple(rested) if rested else None,
            encoded_at=-math.inf if encoded_at is None else encoded_at,
            seen=[Sighting(*map(float, each)) for each in seen],
            ahead=list(ahead.reshape(encodings, size)),
            marks=marks,
            **head,
        )
