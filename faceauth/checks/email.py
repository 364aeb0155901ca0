"""Check that codes by email can reach the users who need them."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.checks import CheckMessage, Info, Tags, Warning, register

from faceauth import conf
from faceauth.audit import notifications
from faceauth.setup import PRINT_MAILS

from .settings import Configs, setting_errors

# Django's backends that send nothing to anybody.
SENDING_NOTHING = tuple(
    f"django.core.mail.backends.{name}.EmailBackend"
    for name in ("console", "dummy", "filebased", "locmem")
)

DEFAULT_SERVER = ("localhost", 25)


@register(Tags.security)
def check_email(app_configs: Configs, **kwargs: Any) -> list[CheckMessage]:
    """Check that users have addresses and mail is sent, if ``UNKNOWN_DEVICES`` is "code"."""
    if setting_errors() or conf.get().UNKNOWN_DEVICES != "code":
        return []
    consequence = "The code for a login by face on a new device reaches nobody"
    hint = (
        "If users have another way to log in on a new device, such as a password, set "
        "FACEAUTH['UNKNOWN_DEVICES'] to 'refuse'."
    )
    user: Any = get_user_model()
    field = user.get_email_field_name()
    # A property will do.
    if not hasattr(user, field):
        message = f"{consequence}: {user._meta.label} has no field {field!r}."
        hint = f"Name the field in {user.__name__}.EMAIL_FIELD. {hint}"
        return [Warning(message, hint=hint, id="faceauth.W028")]
    backend = notifications.mail_backend()
    if settings.DEBUG:
        return [_local_server()] if backend == notifications.SMTP and _goes_to_the_default() else []
    if backend not in SENDING_NOTHING:
        return []
    message = f"{consequence}: {backend} sends no email."
    return [Warning(message, hint=f"Set up a mail server. {hint}", id="faceauth.W028")]


def _goes_to_the_default() -> bool:
    # MAILERS, from Django 6.1 on, has no default server.
    if hasattr(settings, "MAILERS"):
        return False
    return (settings.EMAIL_HOST, settings.EMAIL_PORT) == DEFAULT_SERVER


def _local_server() -> CheckMessage:
    message = "Codes by email go to a mail server on this machine, Django's default."
    hint = f"If there is none, let Django print emails during development: {PRINT_MAILS}"
    return Info(message, hint=hint, id="faceauth.I003")
