"""The audit log: save face events, send the signals and notify users by mail.

Nothing in this module prevents a request from being answered: errors are logged.
"""

from __future__ import annotations

import logging
import math
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.db import DatabaseError
from django.http import HttpRequest
from django.utils.crypto import salted_hmac

from faceauth import metrics, signals
from faceauth.db import atomic, is_lost
from faceauth.http import browsers, client_ip
from faceauth.models import FaceEvent
from faceauth.recognition.policy import Decision

from . import notifications

# Log messages contain no usernames and no addresses; the rows do.
logger = logging.getLogger("faceauth")

Kind = FaceEvent.Kind

SIGNALS = {
    Kind.ENROLLED: signals.face_enrolled,
    Kind.REPLACED: signals.face_enrolled,
    Kind.REMOVED: signals.face_removed,
    Kind.LOGIN: signals.face_login_succeeded,
    Kind.REFUSED: signals.face_login_failed,
    Kind.LOCKED: signals.face_locked,
    Kind.DISABLED: signals.face_locked,
    Kind.DEVICE_TRUSTED: signals.face_device_trusted,
    Kind.DEVICE_REVOKED: signals.face_device_revoked,
    Kind.DEVICE_COPIED: signals.face_device_revoked,
}

# Outcomes of events that were not caused by the owner of the face: `face_purge` or staff. Or by a
# password that was reset by email: see `logins.record_reset`. Or earlier: a removal by email.
UNUSED, BY_STAFF, RESET, PLANNED = "unused", "by_staff", "reset", "planned"

# What happened to a device whose cookie was copied: the copy was refused for want of the key, or
# the device had none and is no longer trusted.
COPY_REFUSED, COPY_REVOKED = "refused", "revoked"


class EventDetails(NamedTuple):
    """The details of a login attempt, or the reason why a face was removed.

    Only staff see them; never show them to visitors.
    """

    mode: str = ""
    outcome: str = ""
    distance: float | None = None
    max_distance: float | None = None
    rate: float | None = None
    nearest: str = ""
    device: str = ""

    @classmethod
    def of_attempt(
        cls, mode: FaceEvent.Mode | str, decision: Decision, outcome: str
    ) -> EventDetails:
        """Return the details of an attempt that ended with `decision`.

        Args:
            mode: The way of logging in; "" if nobody logs in.
            decision: The result of the comparison.
            outcome: The outcome of the attempt, which may be stricter than the decision's.
        """
        match, limit = decision.match, decision.limit
        # The distance to a user without a face is infinite, which databases cannot store.
        compared = match if match and math.isfinite(match.distance) else None
        return cls(
            mode=str(mode),
            outcome=outcome,
            distance=compared.distance if compared else None,
            max_distance=limit.distance if limit else None,
            rate=limit.rate if limit else None,
            nearest=hash_of_nearest(compared.key) if compared else "",
        )


@dataclass(frozen=True)
class FaceAttempt:
    """An accepted attempt. `FaceBackend` stores the last one as ``request.face_attempt``."""

    user_pk: Any
    details: EventDetails


def remember(request: HttpRequest | None, user: Any, details: EventDetails) -> None:
    """Store the details of an accepted attempt on the request, for the event of the login.

    Without a request, as in ``authenticate(None, snapshot=...)``, nothing is stored: there is no
    place that only this attempt's login can read. The event of that login then has no details.
    """
    if request is not None:
        request.face_attempt = FaceAttempt(user.pk, details)  # type: ignore[attr-defined]


def recall(request: HttpRequest | None, user: Any) -> EventDetails:
    """Return the details that `remember` stored on the request for this user.

    Return empty details if none were stored, or only those of another user.
    """
    attempt = getattr(request, "face_attempt", None)
    if isinstance(attempt, FaceAttempt) and attempt.user_pk == user.pk:
        return attempt.details
    return EventDetails()


def record(
    kind: FaceEvent.Kind,
    request: HttpRequest | None,
    user: Any,
    details: EventDetails | None = None,
) -> None:
    """Save an event and announce it.

    Args:
        kind: What happened.
        request: The request during which it happened; None outside of requests.
        user: The user whom the event is about; None if no user is known to be meant.
        details: The details of the attempt, if there are any.
    """
    announce(save(kind, request, user, details), request)


def save(
    kind: FaceEvent.Kind,
    request: HttpRequest | None,
    user: Any,
    details: EventDetails | None = None,
) -> FaceEvent:
    """Save an event, in the caller's transaction if there is one, and return it.

    If the database refuses the event, log the error and return the event unsaved. The arguments
    are those of `record`.

    Raises:
        DatabaseError: The caller's transaction is lost with the event.
    """
    details = details or EventDetails()
    if user is not None:
        details = details._replace(nearest="")  # the event names the user
    address = client_ip.network(request) if request else ""
    if request and not details.device:
        details = details._replace(device=browsers.label(request))
    event = FaceEvent(kind=kind, user=user, address=address, **details._asdict())
    try:
        with atomic(FaceEvent):
            event.save()
    except DatabaseError as error:
        if is_lost(FaceEvent):
            raise
        # The text of the error may repeat the row's values, so only its type is logged.
        logger.error("Face event %r could not be saved: %s", str(kind), type(error).__name__)
    return event


def announce(event: FaceEvent, request: HttpRequest | None) -> None:
    """Log and count an event, send its signal, and send its mail to the user.

    Call it after the transaction, or with ``transaction.on_commit``.
    """
    known = ": ".join(filter(None, (event.mode, event.outcome)))
    logger.info("Face %s%s", event.kind, f" ({known})" if known else "")
    metrics.count_event(str(event.kind), event.mode, event.outcome)
    if signal := SIGNALS.get(FaceEvent.Kind(event.kind)):
        signal.send_robust(FaceEvent, request=request, user=event.user, event=event)
    if event.user is not None:
        notifications.notify(request, event)


def hash_of_nearest(key: Any) -> str:
    """Return the keyed hash of a user's primary key that stands in events without a user."""
    return salted_hmac("faceauth.nearest", str(key), algorithm="sha256").hexdigest()
