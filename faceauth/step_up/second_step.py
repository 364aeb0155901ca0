"""The second step: the face after the password.

In the admin, the session starts after both steps. With `middleware.FaceSecondStepMiddleware`,
which is for the whole site, it starts after the password, but most pages are blocked until the
face is shown.
"""

from __future__ import annotations

import time
from typing import Any

from django.http import HttpRequest
from django.utils.crypto import constant_time_compare

from faceauth import conf, faces

from . import confirmation

# How long the password counts until the face is shown.
SECONDS = 5 * 60

_PENDING = "faceauth_second_step_of"


def required_for(user: Any, request: HttpRequest | None = None) -> bool:
    """Return True if this user's password is not enough without the face.

    That is so for staff if ``ADMIN_SECOND_STEP`` is on, and for everybody if the request came
    through `middleware.FaceSecondStepMiddleware`.
    """
    staff = conf.get().ADMIN_SECOND_STEP and bool(getattr(user, "is_staff", False))
    return staff or bool(getattr(request, "face_second_step", False))


def begin(request: HttpRequest, user: Any) -> None:
    """Store in the session that the user has entered the password. It logs nobody in."""
    request.session.cycle_key()
    request.session[_PENDING] = {
        "user": str(user.pk),
        "hash": user.get_session_auth_hash(),
        "until": time.time() + SECONDS,
    }


def pending_user(request: HttpRequest) -> Any:
    """Return the user who has entered the password and must still show the face.

    Return None if there is none, if it was too long ago or if the password has changed since.
    """
    noted = request.session.get(_PENDING)
    if not noted or noted["until"] < time.time():
        return None
    user: Any = faces.users().filter(pk=noted["user"]).first()
    if user is None or not constant_time_compare(noted["hash"], user.get_session_auth_hash()):
        return None
    return user


def finish(request: HttpRequest) -> None:
    """Store in the session that the user who is now logged in has done both steps."""
    request.session.pop(_PENDING, None)
    confirmation.note(request, request.user, confirmation.PASSWORD)


def passed(request: HttpRequest) -> bool:
    """Return True if the user who is logged in has done both in this session, in any order."""
    both = (confirmation.PASSWORD, confirmation.FACE)
    user: Any = request.user
    return user.has_usable_password() and all(confirmation.seen(request, each) for each in both)


def may_change_face(request: HttpRequest) -> bool:
    """Return True if the user may replace or remove their face.

    If the face is a second step, a session that began with the password alone may enrol a first
    face, but not replace or remove one.
    """
    user: Any = request.user
    if not required_for(user) or not faces.of(user).face_is_enrolled:
        return True
    return confirmation.seen(request, confirmation.FACE)
