"""Connect the app to allauth's signals: what a login was by, if it takes several steps."""

from __future__ import annotations

from typing import Any

from allauth.account.signals import authentication_step_completed
from django.dispatch import receiver
from django.http import HttpRequest

from faceauth import logins

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
