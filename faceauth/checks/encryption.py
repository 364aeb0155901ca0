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
    config = conf.get()
    keys = {f"'ENCRYPTION_KEYS'][{row}": key for row, key in enumerate(config.ENCRYPTION_KEYS)}
    if config.ENCRYPTION_TRANSFORM_KEY is not None:
        keys["'ENCRYPTION_TRANSFORM_KEY'"] = config.ENCRYPTION_TRANSFORM_KEY
    for name, key in keys.items():
        try:
            crypto.decode_key(key)
        except ImproperlyConfigured:
            message = f"FACEAUTH[{name}] is not a key: it must be URL-safe base64 of 32 bytes."
            yield Error(message, hint=f"Create one: {NEW_KEY}", id="faceauth.E009")
    if config.ENCRYPTION_TRANSFORM_KEY in config.ENCRYPTION_KEYS:
        message = "FACEAUTH['ENCRYPTION_TRANSFORM_KEY'] is also one of 'ENCRYPTION_KEYS'."
        hint = f"It only helps if one leak does not reveal both keys. Create another: {NEW_KEY}"
        yield Error(message, hint=hint, id="faceauth.E010")


def _missing_keys() -> Iterator[CheckMessage]:
    config = conf.get()
    missing = [
        key for key in ("ENCRYPTION_KEYS", "ENCRYPTION_TRANSFORM_KEY") if not getattr(config, key)
    ]
    if missing:
        message = (
            f"FACEAUTH has no {' and no '.join(missing)}: SECRET_KEY protects the face templates, "
            "which are lost with it."
        )
        hint = f"Set a key each, before people enrol: {NEW_KEY}. Later, run face_rotate_keys too."
        yield Warning(message, hint=hint, id="faceauth.W007")
