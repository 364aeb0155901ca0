"""The second step: the password first, then the face. For the admin, where a session begins after
both; or for the whole site by `middleware.FaceSecondStepMiddleware`, where little is to be seen
before the second.
"""

from __future__ import annotations

import time
from typing import Any

from django.http import HttpRequest
from django.utils.crypto import constant_time_compare

from faceauth import conf, faces

from . import confirmation

# How long the password counts while the face is still to come.
SECONDS = 5 * 60

_PENDING = "faceauth_second_step_of"


def asked_of(user: Any, request: HttpRequest | None = None) -> bool:
    """Whether this user's password alone is not enough: for the admin and for what guards it, or
    for the site that the request is made to.
    """
    staff = conf.get().ADMIN_SECOND_STEP and bool(getattr(user, "is_staff", False))
    return staff or bool(getattr(request, "face_second_step", False))


def begin(request: HttpRequest, user: Any) -> None:
    """Note that the user gave their password; nobody is logged in by that."""
    request.session.cycle_key()
    request.session[_PENDING] = {
        "user": str(user.pk),
        "hash": user.get_session_auth_hash(),
        "until": time.time() + SECONDS,
    }


def pending(request: HttpRequest) -> Any:
    """Who gave their password and has yet to show their face; None where nobody did, or too long
    ago, or where the password has changed since.
    """
    noted = request.session.get(_PENDING)
    if not noted or noted["until"] < time.time():
        return None
    user: Any = faces.users().filter(pk=noted["user"]).first()
    if user is None or not constant_time_compare(noted["hash"], user.get_session_auth_hash()):
        return None
    return user


def finish(request: HttpRequest) -> None:
    """Note that the user who is logged in by now did both."""
    request.session.pop(_PENDING, None)
    confirmation.note(request, request.user, confirmation.PASSWORD)


def passed(request: HttpRequest) -> bool:
    """Whether the user who is logged in did both, in this session, in whatever order."""
    both = (confirmation.PASSWORD, confirmation.FACE)
    user: Any = request.user
    return user.has_usable_password() and all(confirmation.seen(request, each) for each in both)


def may_change_face(request: HttpRequest) -> bool:
    """Whether the visitor may enrol another face of theirs, or remove it. Where it is asked for
    beside the password, the password alone does not exchange it; the first one has to come from
    somewhere.
    """
    user: Any = request.user
    if not asked_of(user) or not faces.of(user).face_is_enrolled:
        return True
    return confirmation.seen(request, confirmation.FACE)
