"""Guesses at accounts, and what the database counts of them."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import authenticate
from django.http import HttpRequest

from faceauth.models import FailureCount


def fail(username: str | None, times: int, request: HttpRequest | None = None) -> None:
    """Fail so often; with the fixture `quick`, nothing is analysed."""
    for _ in range(times):
        assert authenticate(request, snapshot=b"", username=username) is None


def disable(clock: Any, username: str = "obama", times: int = 50) -> None:
    """Fail so often, each time after the longest wait."""
    for _ in range(times):
        fail(username, 1)
        clock.go(3600)


def counted() -> list[str]:
    """Return the kinds of the counters in the database."""
    return [key.partition(":")[0] for key in FailureCount.objects.values_list("key", flat=True)]
