"""The apps that ask for a second factor after the password, and how to ask them who has one."""

from __future__ import annotations

from typing import NamedTuple

from django.apps import apps


class SecondFactor(NamedTuple):
    """An app that adds a second factor.

    Attributes:
        app: Its name in ``INSTALLED_APPS``.
        condition: True for a user who has a second factor, as code.
        needed: The import that `condition` needs.
        page: A name for the URL of the page that such users log in on.
    """

    app: str
    condition: str
    needed: str
    page: str


_OTP = "user_has_device(user)", "from django_otp import user_has_device"

# The first that is installed counts.
SECOND_FACTORS = [
    SecondFactor("two_factor", *_OTP, "two_factor:login"),
    SecondFactor("django_otp", *_OTP, "your-login"),
    SecondFactor(
        "allauth.mfa",
        "is_mfa_enabled(user)",
        "from allauth.mfa.utils import is_mfa_enabled",
        "account_login",
    ),
]


def find_second_factor() -> SecondFactor | None:
    """Return the second factor of this site, or None if it has none that is known."""
    return next((each for each in SECOND_FACTORS if apps.is_installed(each.app)), None)
