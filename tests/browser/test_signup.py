from __future__ import annotations

import re

import cv2
from playwright.sync_api import FilePayload, expect

from accounts.models import User
from faceauth.models import DeviceTrust
from tests.support import mail
from tests.support.browsing import (
    PASSWORD,
    UNREADABLE,
    Visitors,
    enter_code,
    fill_in_account,
    photo,
    photos_of,
)
from tests.support.webcam import Webcam, frame


def test_signs_up_with_a_code_and_enrols_later(visitors: Visitors):
    page = visitors.open("/accounts/signup/?next=/members/")
    fill_in_account(page)
    page.get_by_role("button", name="Sign up").click()
    code = page.get_by_label("Code")
    expect(code).to_be_focused()
    expect(page.get_by_text("We’ve sent an email to ada@example.com.")).to_be_visible()
    expect(page.get_by_label("Trust this browser")).to_be_checked()
    code.fill("12 34")
    page.keyboard.press("Enter")
    expect(page.get_by_text("This code is not correct.")).to_be_visible()
    page.get_by_role("button", name="Send another code").click()
    expect(page.get_by_text("We’ve sent another email.")).to_be_visible()

    digits = mail.code()
    page.get_by_label("Code").fill(f"{digits[:3]} {digits[3:]}")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Welcome, ada. Your account is ready.")).to_be_visible()
    page.get_by_role("link", name="Not now").click()
    expect(page).to_have_url(re.compile("/members/$"))
    (trust,) = DeviceTrust.objects.all()
    assert trust.device.has_key


def test_a_taken_name(visitors: Visitors, member: User):
    page = visitors.open("/accounts/signup/")
    page.get_by_label("Username").fill("ada")
    page.get_by_label("Email address").fill("new@example.com")
    enter_code(page)
    expect(page.get_by_text("This username is taken.")).to_be_visible()
    page.get_by_label("Username").fill("grace")
    page.get_by_role("button", name="Create my account").click()
    expect(page.get_by_text("Welcome, grace. Your account is ready.")).to_be_visible()


def test_withdrawn_consent_turns_the_camera_off_and_keeps_no_face(
    visitors: Visitors, webcam: Webcam
):
    webcam.show("obama")
    page = visitors.open("/signup/")
    fill_in_account(page)
    page.get_by_label("Password").fill(PASSWORD)
    consent = page.get_by_label("I agree")
    consent.check()
    expect(page.get_by_role("img", name="Picture 1")).to_be_visible()
    consent.uncheck()
    expect(page.locator("video")).to_be_hidden()
    assert page.evaluate("document.querySelector('video').srcObject") is None

    page.get_by_role("button", name="Sign up").click()
    expect(page.get_by_text("Welcome, ada. Your account is ready.")).to_be_visible()
    expect(page.get_by_text("You haven’t enrolled your face.")).to_be_visible()
    assert not User.objects.get().has_face


def test_takes_photos_instead_of_the_camera(visitors: Visitors):
    page = visitors.open("/signup/", camera="missing")
    fill_in_account(page)
    page.get_by_label("I agree").check()
    page.get_by_label("Use photos instead").set_input_files(photos_of("obama"))
    expect(page.locator("[data-part=status]")).to_contain_text("All pictures taken.")
    page.get_by_role("button", name="Sign up").click()

    expect(page).to_have_url(re.compile("/accounts/profile/$"))
    expect(page.get_by_text("5 pictures, not kept")).to_be_visible()


def test_a_file_that_is_no_picture_is_refused_at_once(visitors: Visitors):
    page = visitors.open("/signup/", camera="missing")
    fill_in_account(page)
    page.get_by_label("I agree").check()
    chooser = page.get_by_label("Use photos instead")
    chooser.set_input_files([photo("obama2"), UNREADABLE])
    expect(page.get_by_text("We can’t read this file as a picture.")).to_be_visible()
    expect(page.get_by_role("button", name="Replace picture")).to_have_count(1)

    # A browser reads more formats than the server.
    bitmap = cv2.imencode(".bmp", frame("obama left"))[1].tobytes()
    other: FilePayload = {"name": "obama.bmp", "mimeType": "image/bmp", "buffer": bitmap}
    chooser.set_input_files([other, *photos_of("obama")[2:]])
    expect(page.get_by_text("We can’t read this file as a picture.")).to_have_count(0)
    page.get_by_role("button", name="Sign up").click()
    expect(page.get_by_text("5 pictures, not kept")).to_be_visible()


def test_pictures_of_two_people_are_refused_and_one_can_be_replaced(visitors: Visitors):
    page = visitors.open("/signup/", camera="missing")
    fill_in_account(page)
    page.get_by_label("I agree").check()
    photos = photos_of("obama")
    photos[1] = photo("biden")
    page.get_by_label("Use photos instead").set_input_files(photos)
    page.get_by_role("button", name="Sign up").click()
    expect(page.get_by_text("The pictures do not all show the same person.").first).to_be_visible()

    page.get_by_role("button", name="Replace picture 2").click()
    page.get_by_label("Use photos instead").set_input_files(photo("obama2"))
    page.get_by_role("button", name="Sign up").click()
    expect(page).to_have_url(re.compile("/accounts/profile/$"))


def test_says_which_pictures_are_missing(visitors: Visitors):
    page = visitors.open("/signup/", camera="missing")
    fill_in_account(page)
    page.get_by_label("I agree").check()
    page.get_by_label("Use photos instead").set_input_files(photo("obama"))
    page.get_by_role("button", name="Sign up").click()

    expect(page.get_by_text("1 of 5 pictures taken.").first).to_be_visible()
    assert not User.objects.exists()
