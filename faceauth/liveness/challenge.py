"""The liveness challenge: random head turns, asked of one session and answered once.

`head_turns` judges whether frames show them.
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

# The yaws that the page waits for: a little stricter than those that the server requires.
PAGE_TURNED, PAGE_MIDDLE = 0.2, 0.1

# How long frames are remembered.
KEEP_FRAMES_FOR = timedelta(days=1)

_SALT = "faceauth.challenge"
_SESSION_KEY = "faceauth_challenge"


def issue(request: HttpRequest) -> dict[str, Any]:
    """Return a new challenge for the visitor's session, as it is sent to the page."""
    settings = conf.get()
    owner = request.session.setdefault(_SESSION_KEY, secrets.token_urlsafe(16))
    turns = draw_turns(settings.CHALLENGE_TURNS)
    token = {"id": secrets.token_urlsafe(16), "owner": owner, "turns": turns}
    return {
        "challenge": signing.dumps(token, salt=_SALT),
        "turns": turns,
        "seconds": settings.CHALLENGE_SECONDS,
        "frames": head_turns.MAX_FRAMES,
        "turned": PAGE_TURNED,
        "middle": PAGE_MIDDLE,
    }


def draw_turns(count: int) -> list[str]:
    """Draw this many turns at random; two or more always go to both sides.

    A flat photo that begins tilted one way and ends tilted the other seems to turn, but to one
    side only.
    """
    while True:
        turns = [secrets.choice((LEFT, RIGHT)) for _ in range(count)]
        if count < 2 or len(set(turns)) == 2:
            return turns


def redeem(request: HttpRequest, token: str) -> list[str]:
    """Spend a challenge and return its turns. It can't be used again, whatever follows.

    Raises:
        ChallengeExpired: The challenge is too old, was used before, or is another session's.
        ChallengeFailed: The challenge was not issued by this site.
    """
    seconds = conf.get().CHALLENGE_SECONDS
    try:
        payload = signing.loads(token, salt=_SALT, max_age=seconds)
    except signing.SignatureExpired as error:
        raise ChallengeExpired() from error
    except signing.BadSignature as error:
        raise ChallengeFailed() from error
    # If the session has ended in the meantime, the challenge has ended with it.
    if payload["owner"] != request.session.get(_SESSION_KEY):
        raise ChallengeExpired()
    if not mark_used("challenge", [payload["id"].encode()], timedelta(seconds=seconds)):
        raise ChallengeExpired()
    turns: list[str] = payload["turns"]
    return turns


def check_answer(samples: Sequence[Sample], turns: Sequence[str]) -> list[Sample]:
    """Check that frames answer a challenge and that none was sent before.

    Args:
        samples: The analysed frames, in order of time.
        turns: The turns that were asked for.

    Returns:
        The frames in which the person looks straight ahead.

    Raises:
        NotLiveError: The frames do not show one live head that turns as asked, or one of them was
            sent before.
    """
    pixels = {sample.image.tobytes() for sample in samples}
    if len(pixels) < len(samples) or not mark_used("frame", pixels, KEEP_FRAMES_FOR):
        raise NotLiveError(head_turns.Reason.COPIED)
    return check_movement(samples, turns)


def check_movement(samples: Sequence[Sample], turns: Sequence[str]) -> list[Sample]:
    """Check as `check_answer` does, but accept frames that were sent before.

    Raises:
        NotLiveError: The frames do not show one live head that turns as asked.
    """
    frames = [Frame(sample.image, sample.faces[0].box, sample.faces[0].yaw) for sample in samples]
    straight = head_turns.check_turns(frames, turns)
    encodings = [template(sample.encoding(quickly=True)[None]) for sample in samples]
    head_turns.check_person(np.stack(encodings), straight, calibration().scale)
    return [samples[index] for index in straight]
