"""The consequences of a login: the face was used, failures are cleared, and notices are shown.

Also of a proof that the user reads the mail of their address.
"""

from __future__ import annotations

import time
from typing import Any

from django.contrib import messages
from django.contrib.auth import BACKEND_SESSION_KEY, load_backend
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.crypto import constant_time_compare, salted_hmac
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.translation import gettext as _

from . import conf, devices, enrolment, errors, faces
from .audit import events, notifications
from .backends import FaceBackend
from .db import to_local_time
from .enrolment import planned_removal
from .http import rate_limit
from .http.responses import tell
from .languages import in_app_language
from .lockout import counters
from .models import FaceEvent
from .step_up import confirmation, email_code, second_step, sessions

# How long a login that was postponed counts as one by face, in seconds.
POSTPONED_FOR = 15 * 60

_POSTPONED = "faceauth_postponed"


def postpone_login(request: HttpRequest, user: Any) -> None:
    """Record a face whose login another view completes, such as one that asks for a token first.

    Call it in ``log_in`` of your `LoginView` instead of starting the session. The login that
    follows in this session then counts as one by face: it does not replace the password where both
    are asked for, and the failures of the face stay.

    Args:
        request: The request with the session.
        user: The user whose face was recognised.
    """
    confirmation.note(request, user, confirmation.FACE)
    record_use(FaceEvent.Kind.LOGIN, request, user)
    backend = getattr(user, "backend", "")
    request.session[_POSTPONED] = {"user": str(user.pk), "backend": backend, "at": time.time()}


def forget_postponed_login(request: HttpRequest) -> None:
    """Forget a login that was postponed, because the user has now logged in without the face."""
    request.session.pop(_POSTPONED, None)


def record_login(request: HttpRequest | None, user: Any, backend: str) -> None:
    """Record that a user has logged in, by face or in another way.

    Args:
        request: The request that logged the user in, if there is one.
        user: The user.
        backend: The dotted path of the authentication backend, or "" if it is unknown.
    """
    if backend and isinstance(load_backend(backend), FaceBackend):
        sessions.begin(request, user)
        confirmation.note(request, user, confirmation.FACE)
        record_use(FaceEvent.Kind.LOGIN, request, user)
        remind_of_removal(request, user)
        return
    if request is not None and _resumes(request, user):
        return
    if backend:
        confirmation.note(request, user, confirmation.PASSWORD)
    clear_failures(request, user)
    prompt_to_enrol_again(request, user)
    remind_of_removal(request, user)


def _resumes(request: HttpRequest, user: Any) -> bool:
    """Return True if a login by face was postponed that is now completed.

    The session then belongs to the face backend, which began the login.
    """
    session: Any = getattr(request, "session", {})
    noted = session.pop(_POSTPONED, None)
    if not noted or noted["user"] != str(user.pk) or time.time() - noted["at"] > POSTPONED_FOR:
        return False
    if noted["backend"]:
        session[BACKEND_SESSION_KEY] = noted["backend"]
    sessions.begin(request, user)
    return True


def record_use(kind: FaceEvent.Kind, request: HttpRequest | None, user: Any) -> None:
    """Record the use of a face that `FaceBackend` has just recognised."""
    events.record(kind, request, user, events.recall(request, user))
    now = faces.of(user).face_last_used_at = timezone.now()
    # Not if the face or the user has been removed in the meantime.
    faces.row(user).filter(face_encodings__isnull=False).update(face_last_used_at=now)


def clear_failures(request: HttpRequest | None, user: Any) -> None:
    """Enable a face that failures had disabled: its owner has shown who they are without it.

    A message says that face login is on again. Call it from a view of your own that verifies a
    user, such as a password reset by email; for logins, the app does it. Visitors who have only
    claimed to be that user go on waiting.

    If the face is a second step, nothing happens: a password does not make up for the failures of
    the factor beside it.
    """
    if second_step.required_for(user, request):
        return
    if device := devices.current(request) if request is not None else None:
        counters.clear_device(device, user)
    if not counters.accept_owner(user):
        return
    events.record(FaceEvent.Kind.ENABLED, request, user)
    if request is not None:
        message = _("Face login was turned off after too many failed attempts. It is on again now.")
        tell(request, messages.WARNING, message)


def prompt_to_enrol_again(request: HttpRequest | None, user: Any) -> None:
    """Add a message for a user whose template is from another encoder than the site's."""
    if request is not None and faces.of(user).face_is_outdated:
        message = _(
            "This site now recognises faces in a new way and can’t recognise yours. Enrol your "
            "face again to log in with it."
        )
        tell(request, messages.WARNING, message)


def remind_of_removal(request: HttpRequest | None, user: Any) -> None:
    """Carry out the planned removal of a user's face if it is due, or else say how to cancel it.

    A login by face does not cancel it: it may be the login that made the owner plan it.
    """
    if planned_removal.carry_out(user, request):
        message = _("Your face was removed, as you asked by email.")
    elif at := faces.of(user).face_removal_at:
        with in_app_language():
            date = date_format(to_local_time(at), "DATETIME_FORMAT")
        planned = _("Your face will be removed on %(date)s, as you asked by email.")
        link = reverse("faceauth:cancel_removal"), _("Keep your face")
        message = format_html('{} <a href="{}">{}</a>', planned % {"date": date}, *link)
    else:
        return
    if request is not None:
        tell(request, messages.WARNING, message)


def send_code(
    request: HttpRequest,
    purpose: str,
    to: str,
    *,
    mail: str = "code",
    user: Any = None,
    decoy: bool = False,
) -> None:
    """Email a code for this session, from the outbox. `email_code.redeem` checks what is entered.

    For visitors who must not learn whether an account exists, send a decoy in the same way: it
    takes as long, and no code is correct.

    Args:
        request: The request of the visitor who will enter the code.
        purpose: What the code is for, such as "signup".
        to: The address. At most ``CODES_PER_HOUR`` are sent to it.
        mail: The name of the mail, a template in ``faceauth/mail/``.
        user: The user who has the address. None if there is no account yet.
        decoy: Let no code be correct. The mail is sent all the same, without a code.

    Raises:
        TooManyCodes: Too many codes were sent to this address.
    """
    limit, address = conf.get().CODES_PER_HOUR, f"address {_folded(to)}"
    rate_limit.enforce("code", address, limit, rate_limit.HOUR, errors.TooManyCodes)
    code = email_code.issue(request, purpose, user, decoy=decoy)
    minutes = int(email_code.VALID_FOR.total_seconds() // 60)
    context = {"code": code, "minutes": minutes, "purpose": purpose, "user": user}
    notifications.send_later(request, to, mail, context)


def confirm_address(user: Any, *, face_seen: bool = False) -> None:
    """Record that the user reads the mail of their address.

    Call it when the user has opened a link or entered a code that was sent there. Only the first
    proof is recorded. If the user changes the address, the new one is unconfirmed.

    Args:
        user: The user.
        face_seen: The same person has shown the user's face. It then counts as enrolled after the
            proof, because it is not somebody else's.
    """
    digest = _address_hash(user)
    if digest and not _address_is_confirmed(user):
        faces.ensure_row(user)
        enrolled_at = faces.of(user).face_enrolled_at if face_seen else None
        at = enrolled_at or timezone.now()
        columns = {"face_address_confirmed_at": at, "face_address_hash": digest}
        faces.row(user).exclude(face_address_hash=digest).update(**columns)
        faces.set_columns(user, columns)


def record_reset(request: HttpRequest | None, user: Any) -> None:
    """Record that the user has reset their password by email.

    Somebody else may have signed up with the user's address and enrolled their own face. So a face
    and trusted devices that were added before the address was confirmed are removed, and a message
    and an email say so. A face that is a second step stays: the mailbox does not replace it. So do
    devices that were trusted after a code by email; those that the old password made trusted don't,
    except the browser of the request.

    Call it from a view of your own that resets passwords by email. It clears the failures of the
    face as well.
    """
    face = faces.of(user)
    confirmed_at = face.face_address_confirmed_at if _address_is_confirmed(user) else None
    before = {"created_at__lt": confirmed_at} if confirmed_at else {}
    revoked = devices.revoke_all(user, request, **before)
    revoked += devices.revoke_by_password(user, request)
    enrolled_before = not confirmed_at or (face.face_enrolled_at or confirmed_at) < confirmed_at
    removed = (
        face.face_is_enrolled
        and enrolled_before
        and not second_step.required_for(user, request)
        and enrolment.remove(user, request=request, reason=events.RESET)
    )
    if request is not None and (removed or revoked):
        tell(request, messages.WARNING, _reset_message(removed))
    confirm_address(user)
    clear_failures(request, user)


def _reset_message(removed: bool) -> str:
    if removed:
        return _(
            "Your face was enrolled before you confirmed your email address, so somebody else "
            "could have enrolled it. We removed it. Log in and enrol your face again."
        )
    return _("Other browsers that were trusted before are not trusted any more.")


def _address_is_confirmed(user: Any) -> bool:
    face, digest = faces.of(user), _address_hash(user)
    if not digest or face.face_address_confirmed_at is None:
        return False
    return constant_time_compare(face.face_address_hash, digest)


def _address_hash(user: Any) -> str:
    """Return a keyed hash of the user's current address, or "" if there is none."""
    address = _folded(notifications.address_of(user))
    name = f"{user.pk}:{address}"
    digest: str = salted_hmac("faceauth.address", name, algorithm="sha256").hexdigest()
    return digest if address else ""


def _folded(address: str) -> str:
    return address.strip().casefold()
