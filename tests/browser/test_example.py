"""examples/frontend: a front end of its own, at an address of the site."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, expect

from accounts.models import User
from faceauth.models import FaceEvent
from tests.support.accessibility import assert_accessible
from tests.support.browsing import PATIENTLY, Visitors
from tests.support.webcam import Webcam

FOLDER = Path(__file__).parents[2] / "examples/frontend"
TYPES = {".html": "text/html", ".js": "text/javascript"}


@pytest.fixture
def challenged(settings) -> None:
    settings.FACEAUTH = {**settings.FACEAUTH, "CHALLENGE": "turns"}


def opened(visitors: Visitors, html: str = "") -> Page:
    """The example, served as strictly as the site's own pages."""
    page = visitors.open("/")

    def serve(route: Route) -> None:
        path = FOLDER / (route.request.url.rpartition("/")[2] or "index.html")
        text = html if html and path.suffix == ".html" else path.read_text()
        policy = {"Content-Security-Policy": "default-src 'self'; base-uri 'none'"}
        route.fulfill(body=text, content_type=TYPES[path.suffix], headers=policy)

    page.route("**/app/*", serve)
    page.goto("/app/")
    return page


def log_in(page: Page) -> None:
    page.get_by_label("Username").fill("ada")
    page.get_by_role("button", name="Log in with your face").click()


def test_head_that_turns_logs_in_and_out(
    visitors: Visitors, webcam: Webcam, member: User, challenged
):
    webcam.turn("obama")
    page = opened(visitors)
    expect(page.get_by_role("status")).to_have_text("Nobody is logged in.")
    assert_accessible(page)
    log_in(page)
    expect(page.get_by_role("status")).to_have_text("Hello, ada.", timeout=PATIENTLY)
    assert FaceEvent.objects.filter(kind="login", user=member).exists()
    page.reload()
    expect(page.get_by_role("status")).to_have_text("Hello, ada.")
    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_role("status")).to_have_text("Nobody is logged in.")


def test_somebody_else_is_refused(visitors: Visitors, webcam: Webcam, member: User):
    webcam.show("biden")
    html = (FOLDER / "index.html").read_text().replace(" data-challenge>", ">")
    page = opened(visitors, html)
    log_in(page)
    expect(page.get_by_role("status")).to_contain_text("We didn’t recognise you.")
    webcam.show("obama")
    log_in(page)
    expect(page.get_by_role("status")).to_have_text("Hello, ada.")
