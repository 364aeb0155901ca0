"""The browser that remembers who uses it: a face is then compared with that user's only."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.core import signing
from django.http import HttpRequest, HttpResponse

from faceauth import conf, users

COOKIE = "faceauth_device"
_SALT = "faceauth.devices"
_SECONDS_A_DAY = 24 * 60 * 60


def remembered_username(request: HttpRequest) -> str | None:
    """The username that this browser was asked to remember, if it was and not too long ago.

    It says who claims to be there and proves nothing: the face still has to be theirs.
    """
    try:
        name = signing.loads(request.COOKIES.get(COOKIE, ""), salt=_SALT, max_age=_max_age())
    except signing.BadSignature:
        return None
    return name if isinstance(name, str) else None


def remember(response: HttpResponse, user: AbstractBaseUser) -> None:
    """Let the browser keep the user's name, instead of any other."""
    response.set_cookie(
        COOKIE,
        # Not set_signed_cookie, which would put names of all alphabets into a header as they are.
        signing.dumps(users.username(user), salt=_SALT),
        max_age=_max_age(),
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        **_place(),
    )


def forget(response: HttpResponse) -> None:
    """Let the browser forget the name that it keeps."""
    response.delete_cookie(COOKIE, **_place())


def _max_age() -> int:
    return conf.get().REMEMBER_DEVICE_DAYS * _SECONDS_A_DAY


def _place() -> dict[str, Any]:
    """Where the cookie lies: deleting one takes the same place as setting it."""
    return {
        "path": settings.SESSION_COOKIE_PATH,
        "domain": settings.SESSION_COOKIE_DOMAIN,
        "samesite": "Lax",
    }
