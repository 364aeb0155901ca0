from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.support.browsing import (
    NOT_RECOGNISED,
    NOT_RECOGNISED_ALONE,
    PASSWORD,
    Visitors,
    enter_code,
    fill_in_account,
    log_in_by_password,
    pose,
)
from tests.support.webcam import Webcam

PHONE = {"width": 320, "height": 568}


@pytest.mark.smoke
def test_signs_up_by_webcam_without_a_password_and_logs_in_by_face(
    visitors: Visitors, webcam: Webcam, settings
):
    settings.FACEAUTH = {**settings.FACEAUTH, "UNKNOWN_DEVICES": "code"}
    webcam.show("obama")
    page = visitors.open("/accounts/signup/", camera="allowed when asked")
    fill_in_account(page)
    enter_code(page)
    expect(page.get_by_text("Welcome, ada. Your account is ready.")).to_be_visible()
    page.wait_for_load_state()
    page.get_by_label("I agree").check()
    pose(page, webcam, "obama")
    page.get_by_role("button", name="Enrol my face").click()
    expect(page).to_have_url(re.compile("/accounts/profile/$"))
    expect(page.get_by_text("5 pictures, not kept")).to_be_visible()

    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_role("link", name="Sign up")).to_be_visible()

    # Another photograph than the one that was enrolled.
    webcam.show("obama2")
    page.goto("/members/")
    page.get_by_role("button", name="Turn on the camera").click()
    expect(page).to_have_url(re.compile("/members/$"))
    expect(page.get_by_text("Welcome back, ada.")).to_be_visible()
    expect(page.get_by_text("Good to see you, ada.")).to_be_visible()


@pytest.mark.smoke
def test_refuses_a_stranger_in_words(visitors: Visitors, webcam: Webcam, member):
    webcam.show("biden")
    page = visitors.open("/face/login/")

    expect(page.get_by_text(NOT_RECOGNISED_ALONE).first).to_be_visible()
    page.goto("/members/")
    expect(page).to_have_url(re.compile("/face/login/"))


def test_waits_for_somebody_to_come(visitors: Visitors, webcam: Webcam, member):
    page = visitors.open("/face/login/")

    expect(status(page)).to_contain_text("We can’t see a face.")
    expect(page).to_have_url(re.compile("/face/login/$"))


def test_face_does_not_open_the_account_of_somebody_else(
    visitors: Visitors, webcam: Webcam, member, django_user_model
):
    django_user_model.objects.create_user("grace", "grace@example.com", PASSWORD)
    webcam.show("obama")
    page = visitors.open("/face/login/", camera="allowed when asked")
    page.get_by_text("Enter your username or email as well").click()
    username = page.get_by_label("Username or email")
    username.fill("grace")
    username.press("Enter")
    # Whoever is typing is not photographed before they ask for it.
    expect(status(page)).to_contain_text("Ready.")
    username.press("Enter")

    expect(page.get_by_text(NOT_RECOGNISED).first).to_be_visible()


@pytest.mark.smoke
def test_logs_in_by_password_on_the_same_page(visitors: Visitors, member):
    page = visitors.open("/face/login/?next=/members/")
    log_in_by_password(page, PASSWORD)

    expect(page).to_have_url(re.compile("/members/$"))
    expect(page.get_by_text("Welcome back, ada.")).to_be_visible()


def test_says_that_a_password_is_wrong(visitors: Visitors, member):
    page = visitors.open("/face/login/")
    log_in_by_password(page, "something else")

    expect(page.get_by_text("Please enter a correct username and password.")).to_be_visible()
    expect(page.get_by_role("link", name="Log in")).to_be_visible()


def test_speaks_the_language_of_the_browser(visitors: Visitors, webcam: Webcam):
    page = visitors.open("/face/login/", locale="es-MX", viewport=PHONE)
    expect(page.locator("html")).to_have_attribute("lang", "es")
    expect(status(page)).to_have_text("No vemos ninguna cara. Colóquese dentro del óvalo.")
    expect(page.get_by_role("button", name="Hacer la foto")).to_be_visible()

    # Longer words than in English, and room for them.
    page = visitors.open("/face/login/", locale="es-MX", viewport=PHONE, camera="missing")
    cover, again = page.locator(".faceauth-frame"), page.get_by_role("button", name="Intentar")
    expect(page.get_by_text("No se ha encontrado ninguna cámara.").first).to_be_visible()
    inner, outer = again.bounding_box(), cover.bounding_box()
    assert inner and outer
    assert inner["y"] + inner["height"] <= outer["y"] + outer["height"]
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def status(page: Page):
    return page.locator("[data-part=status]")


def test_user_without_access_is_not_logged_in_again_by_the_camera(
    visitors: Visitors, webcam: Webcam, member
):
    webcam.show("obama2")
    page = visitors.open("/face/login/?next=/members/", user=member)
    expect(page.get_by_text("this account has no access to that page")).to_be_visible()
    start = page.get_by_role("button", name="Turn on the camera")
    page.wait_for_timeout(3000)
    expect(start).to_be_visible()
    start.click()
    expect(page).to_have_url(re.compile("/members/$"))
