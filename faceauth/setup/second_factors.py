"""The apps that ask for a second factor after the password."""

from __future__ import annotations

from typing import NamedTuple

from django.apps import apps


class SecondFactor(NamedTuple):
    """An app that adds a second factor.

    Attributes:
        app: Its name in ``INSTALLED_APPS``.
        urls: The URLs of faceauth for sites with this app.
    """

    app: str
    urls: str


# The first that is installed counts.
SECOND_FACTORS = [
    SecondFactor("two_factor", "faceauth.otp.urls"),
    SecondFactor("django_otp", "faceauth.otp.urls"),
    SecondFactor("allauth.mfa", "faceauth.allauth.urls"),
]


def find_second_factor() -> SecondFactor | None:
    """Return the second factor of this site, or None if it has none that is known."""
    return next((each for each in SECOND_FACTORS if apps.is_installed(each.app)), None)
