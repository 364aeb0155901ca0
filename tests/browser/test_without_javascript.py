from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.support.browsing import (
    NOT_RECOGNISED_ALONE,
    Visitors,
    enter_code,
    fill_in_account,
    photo,
)
from tests.support.webcam import ENROLMENT


@pytest.mark.smoke
def test_signs_up_and_logs_in_with_photos(visitors: Visitors, transactional_db, settings):
    settings.FACEAUTH = {**settings.FACEAUTH, "UNKNOWN_DEVICES": "code"}
    page = visitors.open("/accounts/signup/", java_script_enabled=False)
    fill_in_account(page)
    enter_code(page)
    expect(page.get_by_text("Welcome, ada. Your account is ready.")).to_be_visible()
    page.get_by_label("I agree").check()
    choose(page, *(f"obama{pose}" for pose in ENROLMENT))
    page.get_by_role("button", name="Enrol my face").click()
    expect(page).to_have_url(re.compile("/accounts/profile/$"))
    expect(page.get_by_text("5 pictures, not kept")).to_be_visible()

    page.get_by_role("button", name="Log out").click()
    page.get_by_role("link", name="Log in", exact=True).click()
    choose(page, "obama2")
    page.get_by_role("button", name="Log in with this picture").click()
    expect(page).to_have_url(re.compile("/accounts/profile/$"))
    expect(page.get_by_text("Welcome back, ada.")).to_be_visible()


def test_refuses_a_stranger_in_words(visitors: Visitors, member):
    page = visitors.open("/face/login/", java_script_enabled=False)
    choose(page, "biden")
    username = page.get_by_label("Username or email")
    expect(username).to_be_hidden()
    page.get_by_role("button", name="Log in with this picture").click()

    expect(page.get_by_text(NOT_RECOGNISED_ALONE)).to_be_visible()
    expect(username).to_be_visible()


def test_shows_what_is_missing(visitors: Visitors):
    page = visitors.open("/signup/", java_script_enabled=False)
    fill_in_account(page)
    choose(page, *(f"obama{pose}" for pose in ENROLMENT))
    page.get_by_role("button", name="Sign up").click()

    expect(page.get_by_text("We can’t use your face without your consent.")).to_be_visible()
    expect(page.get_by_label("Username")).to_have_value("ada")


def choose(page: Page, *names: str) -> None:
    """Put one photo into each file input: phones hand over only one at a time."""
    inputs = page.locator("input[type=file]")
    expect(inputs).to_have_count(len(names))
    for number, name in enumerate(names):
        inputs.nth(number).set_input_files(photo(name))
