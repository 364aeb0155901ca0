"""examples/frontend: a front end of its own, at an address of the site."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, expect

from accounts.models import User
from faceauth.models import FaceEvent
from tests.support import mail
from tests.support.accessibility import assert_accessible
from tests.support.browsing import PASSWORD, PATIENTLY, Visitors
from tests.support.webcam import Webcam

FOLDER = Path(__file__).parents[2] / "examples/frontend"
# Tells the person before the webcam which step the page shows.
FOLLOWED = """
const ask = fetch;
let told;
window.fetch = async (url, options) => {
  const response = await ask(url, options);
  if (url.endsWith("/face/frames/")) {
    const { step } = await response.clone().json();
    if (step && told !== step.done) showStep(step.name);
    told = step?.done;
  }
  return response;
};
"""
TYPES = {".html": "text/html", ".js": "text/javascript"}


@pytest.fixture
def challenged(settings) -> None:
    settings.FACEAUTH = {**settings.FACEAUTH, "CHALLENGE": "auto"}


def opened(visitors: Visitors, html: str = "") -> Page:
    """The example, served as strictly as the site's own pages."""
    page = visitors.open("/")

    def serve(route: Route) -> None:
        path = FOLDER / (route.request.url.rpartition("/")[2] or "index.html")
        text = html if html and path.suffix == ".html" else path.read_text()
        policy = {"Content-Security-Policy": "default-src 'self'; base-uri 'none'"}
        route.fulfill(body=text, content_type=TYPES[path.suffix], headers=policy)

    page.add_init_script(FOLLOWED)
    page.route("**/app/*", serve)
    page.goto("/app/")
    return page


def without_challenge() -> str:
    return (FOLDER / "index.html").read_text().replace(" data-challenge>", ">")


@pytest.fixture
def unknown_devices(settings) -> Callable[[str], None]:
    """Say what a face can do in a browser that its owner does not trust."""

    def set(value: str) -> None:
        settings.FACEAUTH = {**settings.FACEAUTH, "UNKNOWN_DEVICES": value}

    return set


def log_in(page: Page) -> None:
    page.get_by_label("Username").fill("ada")
    page.get_by_role("button", name="Log in with your face").click()


def test_head_that_moves_logs_in_and_out(
    visitors: Visitors, webcam: Webcam, member: User, challenged
):
    webcam.follow("obama")
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
    page = opened(visitors, without_challenge())
    log_in(page)
    expect(page.get_by_role("status")).to_contain_text("We didn’t recognise you.")
    webcam.show("obama")
    log_in(page)
    expect(page.get_by_role("status")).to_have_text("Hello, ada.")


def test_code_by_email_and_then_the_face_alone(
    visitors: Visitors, webcam: Webcam, member: User, unknown_devices
):
    unknown_devices("code")
    webcam.show("obama")
    page = opened(visitors, without_challenge())
    log_in(page)
    expect(page.get_by_role("status")).to_contain_text("we have emailed you a code")
    page.get_by_label("Code").fill("000000")
    page.get_by_role("button", name="Log in with the code").click()
    expect(page.get_by_role("status")).to_contain_text("code")
    assert_accessible(page)
    page.get_by_label("Code").fill(mail.code())
    page.get_by_role("button", name="Log in with the code").click()
    expect(page.get_by_role("status")).to_have_text("Hello, ada.")
    (trust,) = member.face_devices.all()
    assert trust.device.has_key
    page.get_by_role("button", name="Log out").click()
    page.get_by_role("button", name="Log in with your face").click()
    expect(page.get_by_role("status")).to_have_text("Hello, ada.")


def test_password_first_and_then_the_face_alone(
    visitors: Visitors, webcam: Webcam, member: User, unknown_devices
):
    unknown_devices("refuse")
    webcam.show("obama")
    page = opened(visitors, without_challenge())
    log_in(page)
    expect(page.get_by_role("status")).to_contain_text("Log in with your password first.")
    page.locator("summary").click()
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in with your password").click()
    expect(page.get_by_role("status")).to_have_text("Hello, ada.")
    page.get_by_role("button", name="Log out").click()
    page.get_by_role("button", name="Log in with your face").click()
    expect(page.get_by_role("status")).to_have_text("Hello, ada.")
