"""The consequences of a login: the face was used, failures are cleared, and notices are shown."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth import load_backend
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _

from . import faces
from .audit import events
from .backends import FaceBackend
from .lockout import counters
from .models import FaceEvent
from .step_up import confirmation, second_step, sessions


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
    if backend:
        confirmation.note(request, user, confirmation.PASSWORD)
    clear_failures(request, user)
    prompt_to_enrol_again(request, user)


def record_use(kind: FaceEvent.Kind, request: HttpRequest | None, user: Any) -> None:
    """Record the use of a face that `FaceBackend` has just recognised."""
    events.record(kind, request, user, events.recall(request, user))
    now = faces.of(user).face_last_used_at = timezone.now()
    # Not if the face or the user has been removed in the meantime.
    faces.row(user).filter(face_encodings__isnull=False).update(face_last_used_at=now)


def clear_failures(request: HttpRequest | None, user: Any) -> None:
    """Clear the failures of a face whose owner has shown who they are without it.

    If the failures had turned face login off, a message says that it is on again. Call it from a
    view of your own that verifies a user, such as a password reset by email; for logins, the app
    does it.

    If the face is a second step, nothing happens: a password does not make up for the failures of
    the factor beside it.
    """
    if second_step.required_for(user, request) or not counters.clear_failures(user):
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
