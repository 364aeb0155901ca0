"""Browsers that remember a username. The face is then compared only with that user's."""

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
    """Return the username that this browser remembers, or None.

    The name is a claim and proves nothing: the face must still be that user's.
    """
    try:
        name = signing.loads(request.COOKIES.get(COOKIE, ""), salt=_SALT, max_age=_max_age())
    except signing.BadSignature:
        return None
    return name if isinstance(name, str) else None


def remember(response: HttpResponse, user: AbstractBaseUser) -> None:
    """Set the cookie with the user's name, which replaces any other name."""
    response.set_cookie(
        COOKIE,
        # set_signed_cookie is not used: it writes names of any alphabet into the header unencoded.
        signing.dumps(users.username(user), salt=_SALT),
        max_age=_max_age(),
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        **_cookie_scope(),
    )


def forget(response: HttpResponse) -> None:
    """Delete the cookie with the name."""
    response.delete_cookie(COOKIE, **_cookie_scope())


def _max_age() -> int:
    return conf.get().TRUSTED_DEVICE_DAYS * _SECONDS_A_DAY


def _cookie_scope() -> dict[str, Any]:
    """Return the path and domain of the cookie. Deleting it takes the same as setting it."""
    return {
        "path": settings.SESSION_COOKIE_PATH,
        "domain": settings.SESSION_COOKIE_DOMAIN,
        "samesite": "Lax",
    }
