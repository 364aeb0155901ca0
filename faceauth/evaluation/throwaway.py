"""A site of one's own to attack: this project's, with another database, in processes of its own."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import django
from django.conf import ENVIRONMENT_VARIABLE

# The limits on guessing are lifted: they only delay an attacker who has many addresses and time.
LIMITS = (
    "MAX_FAILURES",
    "MAX_FAILURES_PER_ADDRESS",
    "MAX_FAILURES_PER_NETWORK",
    "MAX_ANONYMOUS_FAILURES_PER_HOUR",
    "MAX_FAILURES_BEFORE_DISABLING",
    "CHALLENGES_PER_MINUTE",
    "FRAME_CPU_SECONDS_PER_MINUTE",
    "CODES_PER_HOUR",
    "PASSWORDS_PER_HOUR",
)
UNLIMITED = 10**9

_MODULE = "face_attack_settings"
_SETTINGS = """\
import os

from {project} import *

FACEAUTH = {{**globals().get("FACEAUTH", {{}}), **{faceauth!r}}}
DATABASES = {{
    "default": {{
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": {folder!r} + f"/{{os.getpid()}}.sqlite3",
        "OPTIONS": {{
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF;",
        }},
    }}
}}
DATABASE_ROUTERS = []
CACHES = {{"default": {{"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}}}
ALLOWED_HOSTS = ["*"]
SECURE_SSL_REDIRECT = SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = False
{mail}
{more}
"""
_MAIL = 'EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"'
# From Django 6.1 on.
_MAILERS = 'MAILERS = {"default": {"BACKEND": "django.core.mail.backends.locmem.EmailBackend"}}'


@contextmanager
def workers(processes: int | None, more: str = "") -> Iterator[ProcessPoolExecutor]:
    """Return processes with a site each, whose databases are deleted at the end.

    Args:
        processes: Their number; by default one for each core.
        more: Lines for the end of the settings.
    """
    with TemporaryDirectory(prefix="face_attack") as folder:
        text = _SETTINGS.format(
            project=os.environ[ENVIRONMENT_VARIABLE],
            faceauth=faceauth_settings(),
            folder=folder,
            mail=_MAIL if django.VERSION < (6, 1) else _MAILERS,
            more=more,
        )
        (Path(folder) / f"{_MODULE}.py").write_text(text)
        # Spawned, not forked: a fork would copy the parent's threads in the middle of their work.
        with ProcessPoolExecutor(
            processes or os.cpu_count(), get_context("spawn"), initializer=start, initargs=(folder,)
        ) as pool:
            yield pool


def faceauth_settings() -> Mapping[str, Any]:
    """Return the settings of the site that differ from the project's."""
    return {
        **dict.fromkeys(LIMITS, UNLIMITED),
        # The steps go by the attacker's clock, but a busy machine may take long for them.
        "CHALLENGE_SECONDS": 600,
        "CHALLENGE": "full",
        "UNKNOWN_DEVICES": "allow",
        "NOTIFY_BY_MAIL": True,
    }


def start(folder: str) -> None:
    """Start the site of this process.

    Args:
        folder: With the settings, and for the database.
    """
    sys.path.insert(0, folder)
    os.environ[ENVIRONMENT_VARIABLE] = _MODULE
    django.setup()

    import cv2
    from django.core.management import call_command

    cv2.setNumThreads(1)
    call_command("migrate", verbosity=0)
