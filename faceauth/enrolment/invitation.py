"""The invitation to enrol a face, after a login without one."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from faceauth import faces

_INVITED = "faceauth_invited"


def invite(request: HttpRequest, user: Any) -> None:
    """Invite a user who has just logged in, unless they have a face or staff let none log in."""
    if _may_be_invited(user):
        request.session[_INVITED] = True


def take(request: HttpRequest | None) -> bool:
    """Return True if the user is invited, the first time that this is asked."""
    user: Any = getattr(request, "user", None)
    if request is None or user is None or not user.is_authenticated:
        return False
    return bool(request.session.pop(_INVITED, False)) and _may_be_invited(user)


def _may_be_invited(user: Any) -> bool:
    face = faces.of(user)
    return not face.face_is_enrolled and face.face_disabled_at is None
