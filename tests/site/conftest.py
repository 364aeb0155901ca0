from __future__ import annotations

from datetime import timedelta
from threading import Lock

import numpy as np
import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from faceauth.lockout import attempts, counters
from faceauth.recognition import policy
from tests.support.accounts import PASSWORD, log_in_by_face

JSON = {"Accept": "application/json"}

__all__ = ["JSON", "PASSWORD", "log_in_by_face", "log_out", "username_of"]


def log_out(client: Client) -> None:
    """As on the page: what the browser keeps besides the session stays."""
    client.post("/accounts/logout/")


def username_of(client: Client) -> str | None:
    """Who is logged in."""
    key = client.session.get("_auth_user_id")
    return User.objects.get(pk=key).username if key else None


@pytest.fixture
def clock(monkeypatch):
    """A clock that stands still until a test calls `clock.go(seconds)`."""

    class Clock:
        time = timezone.now()

        def now(self):
            return self.time

        def go(self, seconds):
            self.time += timedelta(seconds=seconds)

    clock = Clock()
    for module in (attempts, counters):
        monkeypatch.setattr(module, "timezone", clock)
    return clock


@pytest.fixture
def guess(client, upload):
    """Post a picture of Biden, or of another person, and return the response."""

    def post(username="", face="biden", **more):
        data = {"username": username, "snapshot": upload(face)}
        headers = {**JSON, **more.pop("headers", {})}
        return client.post("/face/login/", data, headers=headers, **more)

    return post


@pytest.fixture
def quick(monkeypatch):
    """Replace the analysis of pictures, for tests that guess often; nobody has this face."""
    probe = np.random.default_rng(0).normal(size=(1, 128)).astype(np.float32)
    monkeypatch.setattr("faceauth.capture.samples.probe_encodings", lambda snapshot: probe)


@pytest.fixture
def compared(monkeypatch):
    """Return a list with an entry for each guess that reached a decision."""
    reached, lock = [], Lock()
    for name in ("verify", "identify"):
        decide = getattr(policy, name)

        def count(*args, decide=decide):
            with lock:
                reached.append(decide)
            return decide(*args)

        monkeypatch.setattr(policy, name, count)
    return reached
