"""Connect the app to allauth's signals: logins of several steps, and proofs of an address."""

from __future__ import annotations

from typing import Any

from allauth.account.signals import (
    authentication_step_completed,
    email_confirmed,
    password_changed,
    password_reset,
)
from django.dispatch import receiver
from django.http import HttpRequest

from faceauth import devices, logins
from faceauth.audit import notifications

from .internals import METHOD

# allauth's methods that may follow a face. "mfa" stands for passkeys too, which log in alone.
SECOND_STEPS = ("mfa", "code")


@receiver(authentication_step_completed)
def note_other_method(
    request: HttpRequest, method: str, passwordless: bool = False, **kwargs: Any
) -> None:
    """Let a login that begins without the face count as what it is."""
    if method != METHOD and (method not in SECOND_STEPS or passwordless):
        logins.forget_postponed_login(request)


@receiver(email_confirmed)
def note_confirmed_address(email_address: Any, **kwargs: Any) -> None:
    """Record that the user has confirmed their address. Other addresses of theirs don't count."""
    user = email_address.user
    if notifications.address_of(user).casefold() == email_address.email.casefold():
        logins.confirm_address(user)


@receiver(password_reset)
def note_reset(request: HttpRequest, user: Any, **kwargs: Any) -> None:
    """Remove what was added to the account before its address was confirmed."""
    logins.record_reset(request, user)


@receiver(password_changed)
def end_trust_by_password(request: HttpRequest, user: Any, **kwargs: Any) -> None:
    """End the trust in other devices that the old password gave."""
    devices.revoke_by_password(user, request)
