"""The liveness challenge: head turns drawn at random, asked of one session, answered once.

What frames have to show is `vision.liveness`'s to say.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import numpy as np
from django.core import signing
from django.http import HttpRequest

from faceauth import conf
from faceauth.capture.samples import Sample
from faceauth.errors import ChallengeExpired, ChallengeFailed
from faceauth.recognition.calibration import calibration
from faceauth.single_use import mark_used
from faceauth.vision.encoding import template

from . import head_turns
from .head_turns import LEFT, RIGHT, Frame, NotLiveError

# What the page asks for: a little more than the server insists on.
TURNED, MIDDLE = 0.2, 0.1

# How long a frame is known again.
FRAMES_KEPT = timedelta(days=1)

_SALT = "faceauth.challenge"
_SESSION_KEY = "faceauth_challenge"


def issue(request: HttpRequest) -> dict[str, Any]:
    """A new challenge for the visitor's session, as the page is told it."""
    settings = conf.get()
    owner = request.session.setdefault(_SESSION_KEY, secrets.token_urlsafe(16))
    turns = draw_turns(settings.CHALLENGE_TURNS)
    token = {"id": secrets.token_urlsafe(16), "owner": owner, "turns": turns}
    return {
        "challenge": signing.dumps(token, salt=_SALT),
        "turns": turns,
        "seconds": settings.CHALLENGE_SECONDS,
        "frames": head_turns.MAX_FRAMES,
        "turned": TURNED,
        "middle": MIDDLE,
    }


def draw_turns(count: int) -> list[str]:
    """So many turns at random, to both sides where there are two: a flat photo that begins tilted
    one way and ends tilted the other seems to turn, but to one side only.
    """
    while True:
        turns = [secrets.choice((LEFT, RIGHT)) for _ in range(count)]
        if count < 2 or len(set(turns)) == 2:
            return turns


def redeem(request: HttpRequest, token: str) -> list[str]:
    """The turns that the challenge asks for. It is spent by this, whatever becomes of it.

    Raises:
        ChallengeExpired: it is too old, was spent before, or is another session's.
        ChallengeFailed: it is none of ours.
    """
    seconds = conf.get().CHALLENGE_SECONDS
    try:
        told = signing.loads(token, salt=_SALT, max_age=seconds)
    except signing.SignatureExpired as error:
        raise ChallengeExpired() from error
    except signing.BadSignature as error:
        raise ChallengeFailed() from error
    # A session that ended in the meantime asks for nothing any more.
    if told["owner"] != request.session.get(_SESSION_KEY):
        raise ChallengeExpired()
    if not mark_used("challenge", [told["id"].encode()], timedelta(seconds=seconds)):
        raise ChallengeExpired()
    turns: list[str] = told["turns"]
    return turns


def check_answer(samples: Sequence[Sample], turns: Sequence[str]) -> list[Sample]:
    """Those of the frames, in order of time, that show the person looking straight ahead.

    They show one live head that turns as it was asked to, and no frame was ever sent before.

    Raises:
        NotLiveError: they do not.
    """
    pixels = {sample.image.tobytes() for sample in samples}
    if len(pixels) < len(samples) or not mark_used("frame", pixels, FRAMES_KEPT):
        raise NotLiveError(head_turns.Reason.COPIED)
    return check_movement(samples, turns)


def check_movement(samples: Sequence[Sample], turns: Sequence[str]) -> list[Sample]:
    """`check_answer` of frames that may have been sent before.

    Raises:
        NotLiveError: they do not show one live head that turns as it was asked to.
    """
    frames = [Frame(sample.image, sample.faces[0].box, sample.faces[0].yaw) for sample in samples]
    found = head_turns.check_turns(frames, turns)
    encodings = [template(sample.encoding(quickly=True)[None]) for sample in samples]
    head_turns.check_person(np.stack(encodings), found, calibration().scale)
    return [samples[index] for index in found]
