"""Log in with a face and a code by email, on a device that the user does not trust yet.

Every visitor gets the same page after the same time, whether or not there is an account, and
whether or not the face is its owner's.
"""

from __future__ import annotations

import secrets
from typing import Any

from django.http import HttpRequest
from django.utils.crypto import constant_time_compare, salted_hmac

from . import devices, errors, faces
from .audit import events, notifications
from .audit.events import EventDetails
from .backends import Result, accept, configured_with_path
from .http import rate_limit
from .liveness.takes import Take
from .lockout import counters
from .lockout.attempts import Attempt
from .models import FaceEvent
from .step_up import email_code, sessions

PURPOSE = "login"

# The outcome of an attempt whose face was accepted, but that no code was sent for.
NOT_SENT = "no_code"

_PENDING = "faceauth_code"


def begin(request: HttpRequest, result: Result) -> None:
    """Email a code to the user whose face was recognised. Do the same work if there is none.

    No code is sent to users without an address, and no more than ``CODES_PER_HOUR``. The attempt
    counts as a failure until the code is entered.
    """
    user, details = result.user, result.details
    address = notifications.address_of(user) if user else ""
    # A count of its own for each decoy: one for all would soon be full, and then take less time.
    if not rate_limit.admits_code(user.pk if address else secrets.token_hex(8)):
        address = ""
    # Only whoever enters the code learns whether this was a film: the comparison takes long, so its
    # time would tell that the face was right.
    take = result.take.pack() if result.take else b""
    code = email_code.issue(request, PURPOSE, user, decoy=not address, attached=take)
    minutes = email_code.VALID_FOR.seconds // 60
    notifications.send_later(request, address, "code", {"code": code, "minutes": minutes})
    if address:
        details = details._replace(mode=FaceEvent.Mode.CODE)
        events.record(FaceEvent.Kind.CODE_SENT, request, user, details)
    elif user:
        events.record(FaceEvent.Kind.REFUSED, request, user, details._replace(outcome=NOT_SENT))
    packed = result.counted.pack() if result.counted else []
    # Of the same length for everybody: some sessions are kept in a cookie.
    request.session[_PENDING] = [packed, _state(user) if user else secrets.token_hex(32)]


def is_pending(request: HttpRequest) -> bool:
    """Return True if this session has been asked for a code."""
    return _PENDING in request.session


def finish(request: HttpRequest, code: str) -> Any:
    """Return the user to whom the code was sent, ready for ``login``, and clear their failures.

    Raises:
        CodeWrong: The code is not the one that was sent.
        CodeExpired: The code is too old or was tried too often, or the face, the password or the
            address has changed since.
        Replayed: The face was that of a film of an earlier login.
    """
    sent = email_code.redeem(request, PURPOSE, code)
    user = faces.users().filter(pk=sent.user_id).first()
    backend, path = configured_with_path()
    if user is None or not backend.user_can_authenticate(user) or not _has_same_face(user, sent):
        raise errors.CodeExpired()
    packed, state = request.session.pop(_PENDING, ([], ""))
    if not constant_time_compare(state, _state(user)):
        raise errors.CodeExpired()
    attempt, details = Attempt.unpack(request, packed), EventDetails(mode=FaceEvent.Mode.CODE)
    take = Take.unpack(email_code.attached_to(sent))
    accept(user, attempt, details, take)
    user.backend = path
    if device := devices.current(request):
        counters.clear_device(device, user)
    events.remember(request, user, details)
    return sessions.bind(user)


def _has_same_face(user: Any, sent: Any) -> bool:
    """Return True if the user's face is still the one that was recognised, and may log in."""
    face = faces.of(user)
    issued_at = sent.forget_at - email_code.VALID_FOR
    renewed = face.face_renewed_at is not None and face.face_renewed_at >= issued_at
    return face.has_face and not renewed and face.face_disabled_at is None


def _state(user: Any) -> str:
    """Return a keyed hash of what a code ends with: the user's password and address."""
    text = f"{user.pk}:{user.password}:{notifications.address_of(user)}"
    return salted_hmac("faceauth.code.state", text, algorithm="sha256").hexdigest()
