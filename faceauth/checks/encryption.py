"""Check the keys that templates are encrypted with."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.core.exceptions import ImproperlyConfigured

from faceauth import conf
from faceauth.encryption import crypto

from .settings import Configs, name_and_type_errors

NEW_KEY = (
    'python -c "from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())"'
)


@register(Tags.security)
def check_keys(app_configs: Configs, **kwargs: Any) -> list[CheckMessage]:
    """Check that templates are encrypted with valid keys that are used for nothing else."""
    return [] if [*name_and_type_errors()] else [*_malformed_keys()] or [*_missing_keys()]


def _malformed_keys() -> Iterator[CheckMessage]:
    now = conf.get()
    keys = {f"'ENCRYPTION_KEYS'][{row}": key for row, key in enumerate(now.ENCRYPTION_KEYS)}
    if now.ENCRYPTION_TRANSFORM_KEY is not None:
        keys["'ENCRYPTION_TRANSFORM_KEY'"] = now.ENCRYPTION_TRANSFORM_KEY
    for name, key in keys.items():
        try:
            crypto.decode_key(key)
        except ImproperlyConfigured:
            message = f"FACEAUTH[{name}] is not a key: it must be URL-safe base64 of 32 bytes."
            yield Error(message, hint=f"Create one: {NEW_KEY}", id="faceauth.E009")
    if now.ENCRYPTION_TRANSFORM_KEY in now.ENCRYPTION_KEYS:
        message = "FACEAUTH['ENCRYPTION_TRANSFORM_KEY'] is also one of 'ENCRYPTION_KEYS'."
        hint = f"It only helps if one leak does not reveal both keys. Create another: {NEW_KEY}"
        yield Error(message, hint=hint, id="faceauth.E010")


def _missing_keys() -> Iterator[CheckMessage]:
    now = conf.get()
    missing = [
        key for key in ("ENCRYPTION_KEYS", "ENCRYPTION_TRANSFORM_KEY") if not getattr(now, key)
    ]
    if missing:
        message = (
            f"FACEAUTH has no {' and no '.join(missing)}: SECRET_KEY is used instead. If it leaks, "
            "this protection of the face templates is gone; if it is changed, they are lost."
        )
        hint = (
            f"Set them to keys of their own, created by {NEW_KEY}, then run manage.py "
            "face_rotate_keys. Templates encrypted with SECRET_KEY stay readable until you change "
            "it."
        )
        yield Warning(message, hint=hint, id="faceauth.W007")
