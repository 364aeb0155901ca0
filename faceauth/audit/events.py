"""What was done with faces: kept for the staff, told to receivers, and to the user by mail.

Nothing here keeps a request from its answer: what fails is logged.
"""

from __future__ import annotations

import logging
import math
from typing import Any, NamedTuple

from django.db import DatabaseError
from django.http import HttpRequest

from faceauth import metrics, signals
from faceauth.db import atomic
from faceauth.devices import remembered
from faceauth.http import client_ip
from faceauth.models import FaceEvent
from faceauth.recognition.policy import Decision

from . import notifications

# What is logged names no user and no address: the rows do.
logger = logging.getLogger("faceauth")

Kind, Mode = FaceEvent.Kind, FaceEvent.Mode

SIGNALS = {
    Kind.ENROLLED: signals.face_enrolled,
    Kind.REPLACED: signals.face_enrolled,
    Kind.REMOVED: signals.face_removed,
    Kind.LOGIN: signals.face_login_succeeded,
    Kind.REFUSED: signals.face_login_failed,
    Kind.LOCKED: signals.face_locked,
    Kind.DISABLED: signals.face_locked,
}


class Facts(NamedTuple):
    """What is known about one attempt to log in, or why a face was removed; nothing that the
    visitor hears.
    """

    mode: str = ""
    outcome: str = ""
    distance: float | None = None
    max_distance: float | None = None
    rate: float | None = None

    @classmethod
    def of(
        cls, request: HttpRequest | None, username: str | None, decision: Decision, outcome: str
    ) -> Facts:
        match, limit = decision.match, decision.limit
        return cls(
            mode=_mode(request, username),
            outcome=outcome,
            # Who has no face is infinitely far away: there is no such number in a database.
            distance=match.distance if match and math.isfinite(match.distance) else None,
            max_distance=limit.distance if limit else None,
            rate=limit.rate if limit else None,
        )


# Why a face was removed by somebody else than its owner: what such events have as outcome.
UNUSED, BY_STAFF = "unused", "by_staff"


def record(
    kind: FaceEvent.Kind, request: HttpRequest | None, user: Any, facts: Facts | None = None
) -> None:
    """Keep that it happened, and tell those who are to know.

    user: whom it is about; None where nobody is known to be meant.
    """
    tell(keep(kind, request, user, facts), request)


def keep(
    kind: FaceEvent.Kind, request: HttpRequest | None, user: Any, facts: Facts | None = None
) -> FaceEvent:
    """Keep that it happened: in one transaction with what did."""
    facts = facts or Facts()
    address = client_ip.network(request) if request else ""
    event = FaceEvent(kind=kind, user=user, address=address, **facts._asdict())
    try:
        with atomic(FaceEvent):
            event.save()
    except DatabaseError as error:
        # Not its text, which may repeat what is in the row.
        logger.error("Face event %r could not be kept: %s", str(kind), type(error).__name__)
    metrics.event(str(event.kind), facts.mode, facts.outcome)
    known = ": ".join(filter(None, (facts.mode, facts.outcome)))
    logger.info("Face %s%s", kind, f" ({known})" if known else "")
    return event


def tell(event: FaceEvent, request: HttpRequest | None) -> None:
    """Tell the receivers of the signals, and the user by mail: once it has happened for good."""
    if signal := SIGNALS.get(FaceEvent.Kind(event.kind)):
        signal.send_robust(FaceEvent, request=request, user=event.user, event=event)
    if event.user is not None:
        notifications.notify(request, event)


def _mode(request: HttpRequest | None, username: str | None) -> str:
    if not username:
        return Mode.ALONE
    known = remembered.remembered(request) if request else None
    return Mode.REMEMBERED if username == known else Mode.USERNAME
