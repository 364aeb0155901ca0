"""The challenge at enrolment: it comes last, so that nobody enrols photos of somebody else."""

from __future__ import annotations

import re

import pytest
from django.contrib.sessions.models import Session
from playwright.sync_api import Page, expect

from accounts.models import User
from tests.support.accessibility import assert_accessible
from tests.support.browsing import (
    PASSWORD,
    PATIENTLY,
    Visitors,
    fill_in_account,
    log_in_by_password,
    photos_of,
    posts,
    sent_to,
    status,
)
from tests.support.webcam import Webcam

PROFILE = re.compile("/accounts/profile/$")
SET = "All set."


@pytest.fixture(autouse=True)
def challenged(settings) -> None:
    settings.FACEAUTH = {**settings.FACEAUTH, "CHALLENGE": "auto"}


def test_signs_up_with_pictures_and_a_challenge_in_one_go(visitors: Visitors, webcam: Webcam):
    webcam.follow("obama")
    page = visitors.open("/signup/")
    fill_in_account(page)
    sent = sent_to(page, "/signup/")
    page.get_by_label("I agree").check()
    expect(prompt(page)).to_have_text("Picture 1 of 5")
    expect(page.get_by_role("img", name="Picture 5:")).to_be_visible()
    # Nothing is pressed, and nothing is sent before the visitor wants it.
    expect(prompt(page)).to_have_text(
        "Last step: show that it’s really you. Move your head as asked."
    )
    expect(status(page)).to_contain_text(SET, timeout=PATIENTLY)
    assert page.evaluate("document.querySelector('video').srcObject") is None
    assert not sent
    page.get_by_role("button", name="Sign up").dblclick()
    expect(page).to_have_url(PROFILE)
    expect(page.get_by_text("5 pictures, not kept")).to_be_visible()

    assert len(sent) == 1
    names = [name for name, _ in sent[0]]
    assert (names.count("snapshot"), names.count("challenge"), names.count("frame")) == (5, 1, 0)


def test_sending_early_sends_once_the_challenge_is_passed(
    visitors: Visitors, webcam: Webcam, member: User
):
    page = visitors.open("/face/enrol/", user=member)
    give_photos(page, "obama")
    webcam.follow("obama")
    page.get_by_role("button", name="Enrol my face").click()
    expect(page).to_have_url(PROFILE, timeout=PATIENTLY)
    assert User.objects.get().face_shots == 5


def test_refused_field_loses_no_picture(visitors: Visitors, webcam: Webcam, transactional_db):
    User.objects.create_user("ada")
    page = visitors.open("/signup/")
    fill_in_account(page)
    give_photos(page, "obama")
    webcam.follow("obama")
    page.get_by_role("button", name="Sign up").click()
    taken = page.get_by_text("A user with that username already exists.")
    expect(taken.first).to_be_visible(timeout=PATIENTLY)
    # It is said once, at the field.
    expect(taken).to_have_count(1)
    expect(page.get_by_role("img", name="Picture 5")).to_be_visible()

    # The challenge was used, and is asked for once more by itself.
    page.get_by_label("Username").fill("grace")
    page.get_by_role("button", name="Sign up").click()
    expect(page).to_have_url(PROFILE, timeout=PATIENTLY)
    assert User.objects.get(username="grace").face_shots == 5


def test_photos_of_somebody_else_are_not_enrolled(visitors: Visitors, webcam: Webcam, member: User):
    page = visitors.open("/face/enrol/", user=member)
    give_photos(page, "biden")
    webcam.follow("obama")
    page.get_by_role("button", name="Enrol my face").click()
    expect(page.get_by_text("The pictures do not all show the same person.").first).to_be_visible(
        timeout=PATIENTLY
    )
    assert User.objects.get().face_shots == member.face_shots


def test_photos_alone_are_not_enough(visitors: Visitors, member: User):
    page = visitors.open("/face/enrol/", user=member, camera="missing")
    sent = posts(page, "/face/enrol/")
    give_photos(page, "obama")
    page.get_by_role("button", name="Enrol my face").click()
    expect(status(page)).to_have_text("No camera was found. Connect one and try again.")
    assert not sent


def test_withdrawn_consent_ends_the_challenge(visitors: Visitors, webcam: Webcam):
    page = visitors.open("/signup/")
    sent = posts(page, "/signup/")
    fill_in_account(page)
    page.get_by_label("Password").fill(PASSWORD)
    give_photos(page, "obama")
    webcam.sit("obama")
    page.get_by_role("button", name="Sign up").click()
    expect(page.locator("[data-step]:not([data-step=look])")).to_be_visible()
    assert_accessible(page)

    page.get_by_label("I agree").uncheck()
    expect(page.locator("video")).to_be_hidden()
    assert page.evaluate("document.querySelector('video').srcObject") is None
    assert not sent
    page.get_by_role("button", name="Sign up").click()
    expect(page).to_have_url(PROFILE)
    assert not User.objects.get().has_face


def test_replaced_picture_comes_before_the_challenge(
    visitors: Visitors, webcam: Webcam, member: User
):
    page = visitors.open("/face/enrol/", user=member)
    give_photos(page, "obama")
    webcam.sit("obama")
    page.get_by_role("button", name="Enrol my face").click()
    expect(page.locator("[data-step]:not([data-step=look])")).to_be_visible()
    page.get_by_role("button", name="Replace picture 2").click()
    expect(prompt(page)).to_have_text("Picture 2 of 5")
    webcam.follow("obama")
    webcam.pose("left")
    expect(page.get_by_role("img", name="Picture 2: Left")).to_be_visible()
    expect(status(page)).to_contain_text(SET, timeout=PATIENTLY)


def test_stopped_challenge_is_made_up_for(visitors: Visitors, webcam: Webcam, member: User):
    page = visitors.open("/face/enrol/", user=member)
    give_photos(page, "obama")
    webcam.sit("obama")
    page.get_by_role("button", name="Enrol my face").click()
    page.get_by_role("button", name="Stop").click()
    expect(status(page)).to_have_text("Your camera is off.")
    expect(page.get_by_role("img", name="Picture 5:")).to_be_visible()
    webcam.follow("obama")
    page.get_by_role("button", name="Turn on the camera").click()
    expect(status(page)).to_contain_text(SET, timeout=PATIENTLY)
    page.get_by_role("button", name="Enrol my face").click()
    expect(page).to_have_url(PROFILE)


def test_session_that_ended_costs_no_picture(visitors: Visitors, webcam: Webcam, member: User):
    page = visitors.open("/face/enrol/", user=member)
    give_photos(page, "obama")
    webcam.follow("obama")
    expect(status(page)).to_contain_text(SET, timeout=PATIENTLY)
    Session.objects.all().delete()
    page.get_by_role("button", name="Enrol my face").click()
    advice = page.get_by_text("First log in or confirm that it’s you, in a new tab.")
    expect(advice).to_have_count(1, timeout=PATIENTLY)
    expect(page.get_by_role("img", name="Picture 5:")).to_be_visible()

    # There they log in, and show their face, which opens the page for pictures once more.
    with page.context.expect_page() as opened:
        page.get_by_role("link", name="Open a new tab").click()
    log_in_by_password(opened.value, PASSWORD)
    expect(opened.value.get_by_text("Welcome back, ada.")).to_be_visible()
    expect(opened.value).to_have_url(re.compile("/face/enrol/$"), timeout=PATIENTLY)
    opened.value.close()

    # The form is of the session before, and so is its challenge.
    page.get_by_role("button", name="Enrol my face").click()
    expect(page).to_have_url(PROFILE, timeout=PATIENTLY)
    assert User.objects.get().face_shots == 5


def test_site_that_asks_for_no_challenge_at_enrolment_takes_photos(
    visitors: Visitors, member: User, settings
):
    settings.FACEAUTH = {**settings.FACEAUTH, "CHALLENGE_AT_ENROLMENT": False}
    page = visitors.open("/face/enrol/", user=member, camera="missing")
    give_photos(page, "obama")
    page.get_by_role("button", name="Enrol my face").click()
    expect(page).to_have_url(PROFILE)


def test_without_javascript_there_is_no_enrolment(visitors: Visitors, member: User):
    page = visitors.open("/face/enrol/", user=member, java_script_enabled=False)
    expect(page.locator("noscript p").first).to_have_text(
        "Enrolling your face needs JavaScript and a camera."
    )
    expect(page.locator("main form:visible")).to_have_count(0)
    page.get_by_role("link", name="Not now").click()
    expect(page).to_have_url(PROFILE)


def test_without_javascript_one_signs_up_with_a_password(visitors: Visitors, transactional_db):
    page = visitors.open("/signup/", java_script_enabled=False)
    expect(page.locator("noscript p")).to_have_text(
        "Signing up with your face needs JavaScript and a camera. Without them, choose a password."
    )
    expect(page.locator("[type=file]:visible, [type=checkbox]:visible")).to_have_count(0)
    fill_in_account(page)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign up").click()
    expect(page).to_have_url(PROFILE)


def prompt(page: Page):
    return page.locator("[data-part=prompt]")


def give_photos(page: Page, name: str) -> None:
    """Agree, and choose photos of that person. Whoever sits before the camera by then is in the
    first picture.
    """
    page.get_by_label("I agree").check()
    page.get_by_label("Use photos instead").set_input_files(photos_of(name))
    expect(page.get_by_role("img", name="Picture 5:")).to_be_visible()
