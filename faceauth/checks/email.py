"""Check that codes by email can reach the users who need them."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.checks import CheckMessage, Tags, Warning, register

from faceauth import conf
from faceauth.audit import notifications

from .settings import Configs, setting_errors

# Django's backends that send nothing to anybody.
SENDING_NOTHING = tuple(
    f"django.core.mail.backends.{name}.EmailBackend"
    for name in ("console", "dummy", "filebased", "locmem")
)


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
    if settings.DEBUG or backend not in SENDING_NOTHING:
        return []
    message = f"{consequence}: {backend} sends no email."
    return [Warning(message, hint=f"Set up a mail server. {hint}", id="faceauth.W028")]
