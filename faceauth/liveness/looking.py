"""Look at one frame of a challenge."""

from __future__ import annotations

from functools import partial
from typing import IO

from faceauth.capture import guidance, samples

from .challenge import Challenge
from .conversation import Look
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
    # Until the first step is shown, somebody else may come into the picture.
    tracking = challenge.conversation.rest is not None
    sample = samples.analyse_frame(frame, challenge.place, beside=not tracking)
    seen.append(sample)
    head, problem = sample.head, sample.problem(moving=True)
    if head is None or problem is not None:
        challenge.place = None
        return None
    challenge.place = guidance.relative_box(sample)
    height, width = sample.image.shape[:2]
    sighting = Sighting(
        at=challenge.now,
        yaw=head.yaw,
        pitch=head.pitch,
        squeeze=head.squeeze,
        skew=head.skew,
        size=head.size / min(height, width),
        x=head.x / width,
        y=head.y / height,
        roll=head.roll,
    )
    comparable = sample.problem() is None
    if comparable and not tracking:
        comparable = bool(guidance.advise(sample, hints=False)["ok"])
    return Look(sighting, partial(sample.encoding, quickly=True), comparable)
