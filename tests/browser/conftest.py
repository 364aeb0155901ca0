"""A real browser with a fake webcam, on the real site."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from django.conf import settings
from django.core.management import call_command
from django.test import override_settings
from playwright.sync_api import expect, sync_playwright
from pytest_django.live_server_helper import LiveServer

from accounts.models import User
from faceauth.capture import samples
from faceauth.gallery import gallery
from tests.support import chromium
from tests.support.browsing import PASSWORD, Visitors
from tests.support.people import enrol_silently
from tests.support.requirements import unavailable
from tests.support.webcam import Webcam, snapshot


@pytest.fixture(scope="package")
def live_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """The site with its static files collected, under hashed names, and served by Whitenoise."""
    storages = {**settings.STORAGES, "staticfiles": settings.COLLECTED_STATIC}
    with override_settings(STORAGES=storages, STATIC_ROOT=tmp_path_factory.mktemp("static")):
        call_command("collectstatic", interactive=False, verbosity=0)
        server = LiveServer("localhost", start=False)
        # pytest-django's own way to serve static files knows no hashed names.
        server.thread.static_handler = lambda application: application  # type: ignore[assignment]
        server.start()
        yield server
        server.stop()


@pytest.fixture(scope="session")
def webcam_file(tmp_path_factory: pytest.TempPathFactory) -> Webcam:
    return Webcam(tmp_path_factory.mktemp("webcam") / "webcam.y4m")


@pytest.fixture(scope="package")
def browsers(webcam_file: Webcam) -> Iterator[Visitors]:
    """Start Playwright. Its event loop ends with this folder's tests, others may need their own."""
    if problem := chromium.problem():
        unavailable(problem)
    # Playwright's event loop runs beside Django's database calls, in the same thread.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    # For machines that are busy with other things: what is there is seen at once anyway.
    expect.set_options(timeout=20_000)
    with sync_playwright() as playwright:
        visitors = Visitors(playwright, chromium.find(), webcam_file)
        yield visitors
        visitors.close()
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture
def webcam(webcam_file: Webcam) -> Iterator[Webcam]:
    """The fake camera: `webcam.show("obama")`. Nobody sits before it when a test begins."""
    webcam_file.show()
    yield webcam_file
    webcam_file.leave()


@pytest.fixture
def visitors(browsers: Visitors, webcam: Webcam, live_server) -> Iterator[Visitors]:
    """Opens pages: `page = visitors.open("/face/login/")`.

    A test fails when a page requested anything from elsewhere or wrote an error to the console.
    """
    browsers.site = live_server.url
    browsers.mishaps.clear()
    gallery.cache_clear()
    yield browsers
    browsers.leave()
    assert not browsers.mishaps, "\n".join(browsers.mishaps)


@pytest.fixture
def member(transactional_db) -> User:
    """Ada, with a face (obama's, from two photographs) and a password."""
    user = User.objects.create_user("ada", "ada@example.com", PASSWORD)
    enrol_silently(user, samples.encodings([snapshot("obama2"), snapshot("obama3")]))
    return user
