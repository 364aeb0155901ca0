from __future__ import annotations

import time
from typing import Any

import cv2
import numpy as np
import pytest
from django.test import Client
from time_machine import travel

from faceauth.devices import cookie
from faceauth.liveness import steps
from faceauth.models import FaceEvent
from tests.support.conversing import Visitor

LOGIN = "/face/login/"


class Clock:
    """A clock that stands still until a test moves it."""

    def __init__(self, travelled: Any) -> None:
        self.shift = travelled.shift
        self.time = time.time


@pytest.fixture
def clock():
    """Let the time be the test's."""
    with travel(time.time(), tick=False) as travelled:
        yield Clock(travelled)


@pytest.fixture(autouse=True)
def challenge(settings):
    """Set FACEAUTH["CHALLENGE"], or other settings."""

    def become(value: str | None = "auto", **more: Any) -> None:
        settings.FACEAUTH = {**settings.FACEAUTH, "CHALLENGE": value, **more}

    become()
    return become


@pytest.fixture
def drawn(monkeypatch):
    """Let the next challenges have these steps."""

    def draw(*names: str) -> None:
        monkeypatch.setattr(steps, "draw", lambda kind: list(names))

    return draw


@pytest.fixture
def visit(client, clock, db):
    """Open a page of that browser before whose camera somebody sits."""

    def make(browser: Client = client, person: Any = "obama", **opening: Any) -> Visitor:
        return Visitor(browser, clock, person, **opening)

    return make


def jpeg(picture: Any) -> bytes:
    """Return a picture, BGR, as a file."""
    return cv2.imencode(".jpg", picture)[1].tobytes()


def copy_cookie(owner: Client, thief: Client) -> None:
    """Give a copy of the cookie of one browser's trusted device to another browser."""
    name = cookie.name()
    thief.cookies[name] = owner.cookies[name].value


def picture(data: bytes) -> Any:
    """Return the pixels of a file, BGR."""
    return cv2.imdecode(np.frombuffer(data, np.uint8), 1)


def outcomes() -> list[str]:
    """Return the outcomes of all events."""
    return [event.outcome for event in FaceEvent.objects.order_by("pk")]
