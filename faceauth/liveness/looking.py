"""Look at one frame of a challenge."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from hashlib import sha256
from typing import IO

from faceauth.capture import guidance, samples
from faceauth.errors import ChallengeExpired
from faceauth.vision.relief import Still, still

from .challenge import Challenge
from .conversation import Look, Mark
from .sightings import Sighting


def look(challenge: Challenge, frame: IO[bytes], seen: list[samples.Sample]) -> Look | None:
    """Look for the face of a challenge in the next frame.

    Args:
        challenge: The challenge, which remembers where the face is.
        frame: The open file of the frame.
        seen: The samples of the request so far, to which this one is added.

    Returns:
        What the frame shows; None if no head can be followed in it.

    Raises:
        FaceError: The data is no picture, the picture is too large, or the site is busy.
    """
    # Somebody else is looked for until the first step is shown, and when the last one is made.
    tracking = challenge.conversation.rest is not None
    data = samples.read_frame(frame)
    sample = samples.analyse_frame(data, challenge.place, beside=not tracking)
    seen.append(sample)
    head, problem = sample.head, sample.problem(moving=True)
    if head is None or problem is not None:
        challenge.place = None
        return None
    challenge.place = guidance.relative_box(sample)
    sighting = Sighting.of(head, sample.image.shape, challenge.now)
    comparable = sample.problem() is None
    if comparable and not tracking:
        comparable = bool(guidance.advise(sample, hints=False)["ok"])
    mark = Mark(
        challenge.number + 1, len(seen) - 1, _digest(data), head.yaw, head.pitch, challenge.place
    )
    encode = partial(sample.encoding, quickly=True)
    return Look(mark, sighting, encode, sample.glance, comparable, sample.is_alone)


def look_again(marks: Sequence[Mark], frames: Sequence[IO[bytes]]) -> list[Still]:
    """Return the face in frames that the page sends again.

    Args:
        marks: The frames that were asked for.
        frames: The open files, in the same order.

    Raises:
        ChallengeExpired: They are other frames.
        FaceError: The site is busy.
    """
    files = [samples.read_frame(each) for each in frames]
    if [_digest(each) for each in files] != [mark.digest for mark in marks]:
        raise ChallengeExpired()
    stills = []
    for mark, data in zip(marks, files, strict=True):
        sample = samples.analyse_frame(data, mark.place)
        if sample.mesh is None:
            raise ChallengeExpired()
        stills.append(still(sample.image, sample.mesh.points))
    return stills


def _digest(data: bytes) -> str:
    return sha256(data).hexdigest()
