"""Serve the example site for benchmarks, in gunicorn with its own settings, and visit it.

Import nothing that needs Django before a `Site` was made: it sets Django up.
"""

from __future__ import annotations

import os
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from secrets import token_bytes, token_urlsafe
from typing import Any

import django

PASSWORD = "a lovely engine of brass"


class Site:
    """The example site, its database and its people.

    Args:
        folder: Keeps the static files, and the database if that is SQLite.
        database: The URL of an empty database; by default it is SQLite.
    """

    def __init__(self, folder: Path, database: str = "") -> None:
        keys = {
            f"FACEAUTH_{name}": urlsafe_b64encode(token_bytes(32)).decode()
            for name in ("ENCRYPTION_KEYS", "TRANSFORM_KEY")
        }
        os.environ.update(
            keys,
            DJANGO_SETTINGS_MODULE="config.settings",
            DATABASE_URL=database or f"sqlite:///{folder}/db.sqlite3",
            STATIC_ROOT=str(folder / "static"),
            SECRET_KEY=token_urlsafe(50),
            ALLOWED_HOSTS="localhost,127.0.0.1",
            EMAIL_URL="dummymail://",
            DEBUG="false",
            HTTPS="false",
        )
        django.setup()
        from django.core.management import call_command

        call_command("migrate", verbosity=0, skip_checks=True)
        call_command("collectstatic", interactive=False, verbosity=0)

    def enrol(self, *photos: str, username: str = "ada") -> None:
        """Create a member, with a password and a face from these pictures."""
        from django.contrib.auth import get_user_model

        from faceauth import enrolment
        from faceauth.capture import samples
        from tests.support.webcam import snapshot

        users: Any = get_user_model().objects
        user = users.create_user(username, f"{username}@example.com", PASSWORD)
        enrolment.enrol(user, samples.encodings([snapshot(each) for each in photos]))

    def forget_logins(self) -> None:
        """Forget what earlier logins looked like.

        The person is one photograph: each login would be taken for a film of the one before.
        """
        from faceauth.models import FaceChallenge, FaceTake

        for model in (FaceChallenge, FaceTake):
            model.objects.all().delete()

    def forget(self) -> None:
        """Forget earlier logins, and requests and failures, so that no limit is reached."""
        from faceauth.models import FailureCount, RequestCount

        self.forget_logins()
        for model in (FailureCount, RequestCount):
            model.objects.all().delete()

    @contextmanager
    def served(
        self, cores: int | None = None, application: str = "config.wsgi", **variables: str
    ) -> Iterator[Any]:
        """Serve the site in another process.

        Args:
            cores: How many of the machine's cores it may use; by default all.
            application: The module with the WSGI application.
            **variables: Further environment variables.
        """
        from tests.support.servers import Server, gunicorn

        with only(cores):
            server = Server(gunicorn(application), {**os.environ, **variables})
        with server:
            yield server


@contextmanager
def only(cores: int | None) -> Iterator[None]:
    """Let this thread, and the processes that it starts meanwhile, use only so many cores."""
    if cores is None or not hasattr(os, "sched_setaffinity"):
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, sorted(before)[:cores])
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def trusted_visitor(server: Any, username: str = "ada", address: str = "") -> Any:
    """Return a browser that this member trusts, and that is logged out.

    Args:
        server: As `Site.served` yields it.
        username: The member.
        address: Where the browser is, for a site that is served with ``BEHIND_PROXY=true``.
    """
    browser = server.visit(headers={"X-Forwarded-For": address} if address else {})
    browser.ask("GET", "/face/login/")
    status, answer = browser.post("/face/login/", username=username, password=PASSWORD, trust="on")
    assert status == 200, answer
    log_out(browser)
    return browser


def log_out(browser: Any) -> None:
    """Let a browser forget its session."""
    del browser.cookies["sessionid"]
