"""A real browser whose passkeys are on an authenticator that Chromium simulates."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from playwright.sync_api import BrowserContext, Page, expect, sync_playwright

from tests.support import chromium
from tests.support.requirements import unavailable
from tests.support.webcam import Webcam


@contextmanager
def browser(webcam: Webcam, site: str) -> Iterator[BrowserContext]:
    """Open a browser with a fake webcam that may use the camera of the site."""
    if problem := chromium.problem():
        unavailable(problem)
    executable = chromium.find()
    # Playwright's event loop runs beside Django's database calls, in the same thread.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    expect.set_options(timeout=20_000)
    switches = [
        "--use-fake-device-for-media-stream",
        f"--use-file-for-fake-video-capture={webcam.path}",
    ]
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(
            executable_path=executable, args=[*chromium.ARGUMENTS, *switches]
        )
        context = started.new_context(base_url=site, locale="en-GB")
        context.grant_permissions(["camera"])
        context.set_default_timeout(20_000)
        webcam.watch(context)
        yield context
        started.close()
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


def add_authenticator(page: Page) -> Any:
    """Give the page an authenticator, unlocked by its owner; return the session that drives it."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    session.send(
        "WebAuthn.addVirtualAuthenticator",
        {
            "options": {
                "protocol": "ctap2",
                "transport": "internal",
                "hasResidentKey": True,
                "hasUserVerification": True,
                "isUserVerified": True,
                "automaticPresenceSimulation": True,
            }
        },
    )
    return session


def log_out(page: Page) -> None:
    """Forget the session, but not the trust in the browser."""
    page.context.clear_cookies(name=settings.SESSION_COOKIE_NAME)


def trust_browser(page: Page) -> None:
    """Trust the browser on the page of the user's devices."""
    page.goto("/face/devices/")
    page.get_by_role("button", name="Trust this browser").click()
    expect(page.get_by_text("This browser", exact=True)).to_be_visible()


def log_in_by_face(page: Page, webcam: Webcam, face: str) -> None:
    """Look into the camera on the login page, with nothing else to do."""
    webcam.show()
    page.goto("/face/login/")
    webcam.show(face)
