"""A site of one's own to attack: this project's, with another database, in another process."""

from __future__ import annotations

import email
import email.policy
import json
import os
import subprocess
import sys
from collections.abc import Iterable, Mapping
from email.message import EmailMessage
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import django
from django.conf import settings
from django.contrib.auth import get_user_model
from django.urls import reverse

from .films import Target
from .serve import READY, CpuTimeMiddleware

# The limits on guessing are lifted: they only delay an attacker who has many addresses and time.
LIMITS = (
    "MAX_FAILURES",
    "MAX_FAILURES_PER_ADDRESS",
    "MAX_FAILURES_PER_NETWORK",
    "MAX_ANONYMOUS_FAILURES_PER_HOUR",
    "MAX_FAILURES_BEFORE_DISABLING",
    "CHALLENGES_PER_MINUTE",
    "CODES_PER_HOUR",
    "PASSWORDS_PER_HOUR",
)
UNLIMITED = 10**9

PASSWORD = "the owner's own"  # noqa: S105, of accounts that exist for a few minutes

_SETTINGS = """\
from {project} import *

FACEAUTH = {{**globals().get("FACEAUTH", {{}}), **{faceauth!r}}}
DATABASES = {{
    "default": {{
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": {folder!r} + "/site.sqlite3",
        "OPTIONS": {{
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
        }},
    }}
}}
DATABASE_ROUTERS = []
CACHES = {{"default": {{"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}}}
ALLOWED_HOSTS = ["127.0.0.1"]
SECURE_SSL_REDIRECT = SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = False
MIDDLEWARE = [{middleware!r}, *MIDDLEWARE]
{mail}
"""
_MAIL = """\
EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
EMAIL_FILE_PATH = {folder!r}
"""
# From Django 6.1 on.
_MAILERS = """\
MAILERS = {{
    "default": {{
        "BACKEND": "django.core.mail.backends.filebased.EmailBackend",
        "OPTIONS": {{"file_path": {folder!r}}},
    }}
}}
"""


class StartError(Exception):
    """The site does not start. The text is the end of its log."""


class ThrowawaySite:
    """A site that serves this project with its own database. Leaving the context deletes it.

    Args:
        targets: The people who are enrolled.
        unknown_devices: The value of ``UNKNOWN_DEVICES``.
        faceless: The name of an account without a face.
        challenge: The value of ``CHALLENGE``.
    """

    def __init__(
        self,
        targets: Iterable[Target],
        unknown_devices: str,
        faceless: str,
        challenge: str | None = "turns",
    ) -> None:
        self._folder = TemporaryDirectory(prefix="face_attack")
        root = Path(self._folder.name)
        self._mails = root / "mails"
        people = [_account(each.username, each.encodings) for each in targets]
        people.append(_account(faceless, []))
        (root / "people.json").write_text(json.dumps(people))
        (root / "face_attack_settings.py").write_text(
            self._settings(root, unknown_devices, challenge)
        )
        self._log = (root / "log").open("w+")
        self.process = subprocess.Popen(
            [sys.executable, "-m", CpuTimeMiddleware.__module__, str(root / "people.json")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
            env={
                **os.environ,
                "DJANGO_SETTINGS_MODULE": "face_attack_settings",
                "PYTHONPATH": os.pathsep.join([str(root), *sys.path]),
            },
        )
        self.url = ""

    def __enter__(self) -> ThrowawaySite:
        """Wait until the site answers.

        Raises:
            StartError: It does not start.
        """
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if line.startswith(READY):
                port = line.removeprefix(READY).strip()
                self.url = f"http://127.0.0.1:{port}{reverse('faceauth:login')}"
                return self
        self._log.seek(0)
        text = self._log.read()
        self.__exit__()
        raise StartError(text[-2000:])

    def __exit__(self, *exception: object) -> None:
        """Stop the site and delete its files."""
        self.process.terminate()
        self.process.communicate()
        self._log.close()
        self._folder.cleanup()

    def mails(self, username: str) -> list[EmailMessage]:
        """Return the mails that a user has got."""
        files = sorted(self._mails.glob("*.log")) if self._mails.exists() else []
        found: list[EmailMessage] = []
        for file in files:
            # Of several mails in a file, the first: each request and thread writes its own.
            message: Any = email.message_from_bytes(file.read_bytes(), policy=email.policy.default)
            if message["To"] == address(username):
                found.append(message)
        return found

    def _settings(self, root: Path, unknown_devices: str, challenge: str | None) -> str:
        faceauth: Mapping[str, Any] = {
            **dict.fromkeys(LIMITS, UNLIMITED),
            "CHALLENGE": challenge,
            "UNKNOWN_DEVICES": unknown_devices,
            "NOTIFY_BY_MAIL": True,
        }
        mail = _MAIL if django.VERSION < (6, 1) else _MAILERS
        middleware = f"{CpuTimeMiddleware.__module__}.{CpuTimeMiddleware.__qualname__}"
        return _SETTINGS.format(
            project=settings.SETTINGS_MODULE,
            faceauth=faceauth,
            folder=str(root),
            middleware=middleware,
            mail=mail.format(folder=str(self._mails)),
        )


def login_name(name: str) -> str:
    """Return what an account of that name logs in with: the name, or an email address."""
    model: Any = get_user_model()
    return address(name) if model.get_email_field_name() == model.USERNAME_FIELD else name


def address(username: str) -> str:
    """Return the email address of an account."""
    return username if "@" in username else f"{username}@example.com"


def _account(username: str, encodings: list[list[float]]) -> dict[str, Any]:
    return {
        "username": username,
        "email": address(username),
        "password": PASSWORD,
        "encodings": encodings,
    }
