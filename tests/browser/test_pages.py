"""Every page, for everybody: in dark, on a phone, with a keyboard alone, by ear."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from accounts.models import User
from tests.support import mail
from tests.support.accessibility import assert_accessible
from tests.support.browsing import Visitors
from tests.support.webcam import Webcam

PAGES = [
    "/",
    "/face/login/",
    "/face/notice/",
    "/accounts/signup/",
    "/accounts/password-reset/",
    "/accounts/password-reset/done/",
    "/accounts/password-reset/complete/",
    "/accounts/password-reset/MQ/set-password/",
    "/face/devices/revoke/x/",
    "/face/remove/by-email/x/",
    "/no-such-page/",
]
MEMBERS_PAGES = [
    "/",
    "/members/",
    "/accounts/profile/",
    "/accounts/password-change/",
    "/accounts/logout-everywhere/",
    "/accounts/delete/",
    "/face/enrol/",
    "/face/remove/",
    "/face/remove/by-email/",
    "/face/devices/",
]
PHONE = {"width": 320, "height": 568}


@pytest.mark.parametrize("color_scheme", ["light", "dark"])
def test_every_page_is_accessible(visitors: Visitors, member: User, color_scheme):
    for user, paths in (None, PAGES), (member, MEMBERS_PAGES):
        page = visitors.open(user=user, color_scheme=color_scheme)
        for path in paths:
            page.goto(path)
            assert_accessible(page)


@pytest.mark.parametrize("color_scheme", ["light", "dark"])
def test_camera_and_errors_are_accessible(visitors: Visitors, webcam, member, color_scheme):
    webcam.show("biden")
    page = visitors.open("/face/login/", color_scheme=color_scheme)
    expect(page.get_by_text("We didn’t recognise you.").first).to_be_visible()
    assert_accessible(page)

    page.goto("/accounts/signup/")
    page.get_by_label("Username").fill("ada")
    page.get_by_label("Email address").fill("new@example.com")
    page.get_by_label("Password").fill("new@example.com")
    page.get_by_role("button", name="Sign up").click()
    expect(page.get_by_text("The password is too similar").first).to_be_visible()
    assert_accessible(page)
    page.get_by_label("Password").fill("a lovely engine of brass")
    page.get_by_role("button", name="Sign up").click()
    page.get_by_label("Code").fill("1")
    page.get_by_role("button", name="Create my account").click()
    expect(page.get_by_text("This code is not correct.").first).to_be_visible()
    assert_accessible(page)
    page.get_by_label("Code").fill(mail.code())
    page.get_by_role("button", name="Create my account").click()
    expect(page.get_by_text("This username is taken.").first).to_be_visible()
    assert_accessible(page)


BASE = """<!DOCTYPE html><html><head><style>
:root { --bs-primary: #7a1f5c; }
html { font-size: 10px; background: #222; }
body { font: 16px/1.5 Georgia, serif; color: #ddd; }
a { color: #9cf; }
</style></head><body>{% block content %}{% endblock %}</body></html>"""


def test_page_takes_the_looks_of_the_sites_own_base(visitors: Visitors, settings, tmp_path):
    (tmp_path / "base.html").write_text(BASE)
    (now,) = settings.TEMPLATES
    settings.TEMPLATES = [{**now, "DIRS": [tmp_path, *now["DIRS"]]}]
    page = visitors.open("/face/login/", camera="missing", bypass_csp=True)
    words = page.locator(".faceauth-help:visible").first
    expect(words).to_have_css("font-size", "15px")
    expect(words).to_have_css("font-family", "Georgia, serif")
    expect(page.get_by_role("textbox", name="Password")).to_have_css("color", "rgb(221, 221, 221)")
    link = page.get_by_role("link", name="Forgot your password")
    expect(link).to_have_css("color", "rgb(153, 204, 255)")
    button = page.get_by_role("button", name="Try again")
    expect(button).to_have_css("background-color", "rgb(122, 31, 92)")
    page.evaluate("document.styleSheets[0].deleteRule(0)")
    for name in ("--pico-primary-background", "--bulma-primary", "--color-primary"):
        page.evaluate("name => { document.documentElement.style = `${name}: #123456` }", name)
        expect(button).to_have_css("background-color", "rgb(18, 52, 86)")


@pytest.mark.smoke
def test_no_page_is_wider_than_a_small_phone(visitors: Visitors, member: User):
    User.objects.filter(pk=member.pk).update(username="a" * 150)
    for user, paths in (None, PAGES), (member, [*MEMBERS_PAGES, "/face/confirm/"]):
        page = visitors.open(user=user, viewport=PHONE)
        for path in paths:
            page.goto(path)
            assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"], path


def test_logs_in_with_the_keyboard_alone(visitors: Visitors, webcam: Webcam, member: User):
    webcam.show("obama")
    page = visitors.open("/face/login/", camera="allowed when asked")
    tab_to(page, "Turn on the camera")
    page.keyboard.press("Enter")

    expect(page).to_have_url(re.compile("/accounts/profile/$"))
    expect(page.get_by_text("Welcome back, ada.")).to_be_visible()
    tab_to(page, "Log out")
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="Sign up")).to_be_visible()


def tab_to(page: Page, text: str) -> None:
    """Press Tab until what is focused says that; what is focused has to be seen on the way."""
    for _ in range(30):
        page.keyboard.press("Tab")
        focused = page.locator(":focus")
        expect(focused).to_be_in_viewport()
        if text in (focused.inner_text() or ""):
            return
    raise AssertionError(f"Tab does not lead to {text!r}")
