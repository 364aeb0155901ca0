"""Slow networks, failing ones, and people who press twice."""

from __future__ import annotations

import re
import time

import pytest
from playwright.sync_api import Route, expect

from accounts.models import User
from tests.support import mail
from tests.support.browsing import (
    PASSWORD,
    Visitors,
    fill_in_account,
    log_in_by_password,
    photo,
    posts,
)
from tests.support.webcam import Webcam


@pytest.mark.parametrize("wait", [0, 1.5], ids=["scripts at once", "scripts late"])
def test_two_clicks_create_one_account(visitors: Visitors, wait: float):
    page = visitors.open("/accounts/signup/")
    fill_in_account(page)
    page.get_by_label("Password").fill(PASSWORD)

    def late(route: Route) -> None:
        time.sleep(wait)
        route.continue_()

    page.route("**/*.js", late)
    page.get_by_role("button", name="Sign up").dblclick()

    expect(page.get_by_role("heading", name="Check your email")).to_be_visible()
    created = posts(page, "/accounts/signup/code/")
    page.get_by_label("Code").fill(mail.code())
    page.get_by_role("button", name="Create my account").dblclick(delay=60)
    expect(page.get_by_text("Welcome, ada. Your account is ready.")).to_be_visible()
    assert len(created) == 1
    assert User.objects.count() == 1


def test_slow_site_shows_that_it_is_checking(visitors: Visitors, webcam: Webcam, member: User):
    webcam.show("obama")
    page = visitors.open("/face/login/")
    held: list[Route] = []
    page.route("**/face/login/", lambda route: held.append(route))
    expect(page.locator("[data-part=status]")).to_contain_text("Checking…")

    # As long as the site takes its time, the page waits and sends nothing more.
    page.wait_for_timeout(1_000)
    expect(page.locator("[data-part=status]")).to_contain_text("Checking…")
    assert len(held) == 1
    held[0].continue_()
    expect(page).to_have_url(re.compile("/accounts/profile/$"))


def test_lost_connection_loses_nothing(visitors: Visitors, member: User):
    page = visitors.open("/face/login/", camera="missing")
    page.route("**/face/login/", lambda route: route.abort("connectionreset"), times=1)
    choice = page.get_by_label("Use a photo instead")
    choice.set_input_files(photo("obama"))
    expect(page.get_by_text("We can’t reach the site.").first).to_be_visible()

    choice.set_input_files(photo("obama"))
    expect(page).to_have_url(re.compile("/accounts/profile/$"))


def test_page_with_two_forms_that_may_trust_it_sends_them(visitors: Visitors, member: User):
    page = visitors.open("/face/login/", camera="missing")
    script = page.locator("script[src*='faceauth/trust.']")
    expect(script).to_have_count(1)
    page.add_script_tag(url=script.get_attribute("src"))
    sent = posts(page, "/face/login/")
    log_in_by_password(page, PASSWORD)
    expect(page).to_have_url(re.compile("/accounts/profile/$"))
    assert len(sent) == 1


def test_form_is_sent_without_a_script_that_cannot_be_loaded(visitors: Visitors, member: User):
    page = visitors.open("/face/notice/", camera="missing")
    page.route("**/faceauth/device-fields.*.js", lambda route: route.abort())
    page.goto("/face/login/")
    log_in_by_password(page, PASSWORD)
    expect(page).to_have_url(re.compile("/accounts/profile/$"))


def test_site_that_itself_lets_no_form_be_sent_twice(visitors: Visitors, member: User):
    page = visitors.open("/face/login/", camera="missing")
    page.evaluate(
        """() => {
            let sent = false;
            document.querySelector("[name=password]").form.addEventListener("submit", (event) => {
                if (sent) event.preventDefault();
                sent = true;
            });
        }"""
    )
    log_in_by_password(page, PASSWORD)
    expect(page).to_have_url(re.compile("/accounts/profile/$"))
