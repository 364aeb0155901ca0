"""Record the durations of logins where people are, as the page and the server measure them.

The page sends, with the form, the seconds from its opening until the camera was on (`camera`), a
face was seen (`face`) and the challenge was passed or the pictures were taken (`steps`). The answer
comes after the last of these, by as much as the server takes for the form; the way to and from the
browser is not in it.

Only logins that the face was enough for, or that went on to the code by email, are recorded: a face
that is refused may be tried again on the same page, and the time says nothing. A code is asked for
whether somebody was recognised or not, so the numbers contain both.

Nothing here is linked to a user, an address or a device, and times are rounded to the hour.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from typing import Any

from django.db import DatabaseError
from django.http import HttpRequest
from django.utils import timezone

from faceauth import metrics
from faceauth.db import atomic, is_lost
from faceauth.models import LoginTiming

logger = logging.getLogger("faceauth")

# What the page measures, in order of time, and the last stage, which is added here.
MEASURED = ("camera", "face", "steps")
ANSWER = "answer"

# Pages may stay open for hours: a login that took longer than this says nothing about the site.
LONGEST = 600.0  # seconds

# Longer than three numbers can be.
MAX_LENGTH = 200

# A browser on a tablet names its system, but not "Mobile"; only Apple's says so of itself. An iPad
# that asks for desktop pages counts as a computer.
_TABLETS = ("iPad", "Tablet")
_PHONES = ("Mobi", "iPhone")


def record(request: HttpRequest, posted: str, seconds: float) -> None:
    """Save and count how long a login took, if the page sent what it measured.

    Times that cannot be true are ignored: anybody can send any.

    Args:
        request: The login's request.
        posted: The field `timings`, JSON such as ``{"camera": 0.8, "face": 1.1, "steps": 2.2}``.
        seconds: The time that the server took for the request.
    """
    measured = parse(posted)
    if not measured:
        return
    times = dict(measured)
    if "steps" in times:
        times[ANSWER] = times["steps"] + seconds
    kind = kind_of(request.headers.get("User-Agent", ""))
    metrics.observe_login(str(kind), times)
    hour = timezone.now().replace(minute=0, second=0, microsecond=0)
    try:
        with atomic(LoginTiming):
            LoginTiming.objects.create(kind=kind, at=hour, **times)
    except DatabaseError as error:
        if is_lost(LoginTiming):
            raise
        logger.error("The time of a login could not be saved: %s", type(error).__name__)


def parse(posted: str) -> Mapping[str, float]:
    """Return the times that a page sent, or nothing if they cannot be true.

    A stage may be missing or null: a photo that was uploaded needs no camera.
    """
    if not 0 < len(posted) <= MAX_LENGTH:
        return {}
    try:
        found = json.loads(posted)
    except (ValueError, RecursionError):
        return {}
    if not isinstance(found, dict):
        return {}
    times: dict[str, float] = {}
    earliest = 0.0
    for name in MEASURED:
        value: Any = found.get(name)
        if value is None:
            continue
        # Neither NaN nor infinity passes, nor does an earlier stage that ended later.
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if not number or not earliest <= value <= LONGEST:
            return {}
        earliest = times[name] = float(value)
    return times


def kind_of(user_agent: str) -> LoginTiming.Kind:
    """Return the kind of device that a user agent names."""
    if any(sign in user_agent for sign in _TABLETS):
        return LoginTiming.Kind.TABLET
    if any(sign in user_agent for sign in _PHONES):
        return LoginTiming.Kind.PHONE
    if "Android" in user_agent:
        return LoginTiming.Kind.TABLET
    return LoginTiming.Kind.COMPUTER
