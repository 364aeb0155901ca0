"""The cookie of a trusted device: the device's number and a random secret, signed by the site.

The signature is not what protects the device; the secret is. It tells a cookie that the site once
set from one that somebody made up, so nobody can have another person's device revoked.
"""

from __future__ import annotations

import hashlib
import secrets
from typing import NamedTuple

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse

from faceauth import conf

_SALT = "faceauth.devices"
_SECONDS_A_DAY = 24 * 60 * 60


class Found(NamedTuple):
    """The content of a cookie that the site has set, now or earlier."""

    device: int
    secret_hash: str


def name() -> str:
    """Return the cookie's name.

    Over HTTPS, the prefix keeps other hosts of the domain from setting it.
    """
    return "__Host-faceauth_device" if settings.SESSION_COOKIE_SECURE else "faceauth_device"


def new_secret() -> str:
    """Return a random secret of 256 bits."""
    return secrets.token_urlsafe(32)


def hash_of(secret: str) -> str:
    """Return the SHA-256 of a secret, in hexadecimal digits.

    The secret is random, so nobody can guess it from a hash that was computed quickly.
    """
    return hashlib.sha256(secret.encode()).hexdigest()


def read(request: HttpRequest) -> Found | None:
    """Return what the request's cookie holds, or None without a cookie that the site has set."""
    try:
        device, secret = signing.loads(request.COOKIES.get(name(), ""), salt=_SALT)
        return Found(int(device), hash_of(secret))
    except (signing.BadSignature, ValueError, TypeError, AttributeError):
        return None


def write(response: HttpResponse, device: int, secret: str) -> None:
    """Set the cookie. Scripts can't read it, and forms of other sites don't send it."""
    response.set_cookie(
        name(),
        signing.dumps([device, secret], salt=_SALT),
        max_age=conf.get().TRUSTED_DEVICE_DAYS * _SECONDS_A_DAY,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )
