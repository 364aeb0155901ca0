"""The consequences of a login: the face was used, failures are cleared, and notices are shown."""

from __future__ import annotations

import time
from typing import Any

from django.contrib import messages
from django.contrib.auth import BACKEND_SESSION_KEY, load_backend
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _

from . import faces
from .audit import events
from .backends import FaceBackend
from .lockout import counters
from .models import FaceEvent
from .step_up import confirmation, second_step, sessions

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
        return
    if request is not None and _resumes(request, user):
        return
    if backend:
        confirmation.note(request, user, confirmation.PASSWORD)
    clear_failures(request, user)
    prompt_to_enrol_again(request, user)


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
    if second_step.required_for(user, request) or not counters.accept_owner(user):
        return
    events.record(FaceEvent.Kind.ENABLED, request, user)
    if request is not None:
        message = _("Face login was turned off after too many failed attempts. It is on again now.")
        messages.warning(request, message, fail_silently=True)


def prompt_to_enrol_again(request: HttpRequest | None, user: Any) -> None:
    """Add a message for a user whose template is from another encoder than the site's."""
    if request is not None and faces.of(user).face_is_outdated:
        message = _(
            "This site now recognises faces in a new way and can’t recognise yours. Enrol your "
            "face again to log in with it."
        )
        messages.warning(request, message, fail_silently=True)
