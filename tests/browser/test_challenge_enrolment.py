"""The challenge at enrolment: it comes last, so that nobody enrols photos of somebody else."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from accounts.models import User
from tests.support.accessibility import assert_accessible
from tests.support.browsing import (
    PASSWORD,
    PATIENTLY,
    Visitors,
    fill_in_account,
    photos_of,
    pose,
    posts,
    sent_to,
    status,
)
from tests.support.webcam import Webcam

PROFILE = re.compile("/accounts/profile/$")
PROMPT = "Last step: show that it’s really you. Turn your head as asked."


@pytest.fixture(autouse=True)
def challenged(settings) -> None:
    settings.FACEAUTH = {**settings.FACEAUTH, "CHALLENGE": "turns"}


def test_signs_up_with_pictures_and_turns(visitors: Visitors, webcam: Webcam):
    webcam.show("obama")
    page = visitors.open("/signup/")
    fill_in_account(page)
    page.get_by_label("I agree").check()
    pose(page, webcam, "obama")
    expect(status(page)).to_contain_text("you’ll be asked to move your head.")
    sent = sent_to(page, "/signup/")
    webcam.turn("obama")
    page.get_by_role("button", name="Sign up").dblclick()
    expect(page.locator("[data-part=prompt]")).to_have_text(PROMPT)
    expect(page).to_have_url(PROFILE, timeout=PATIENTLY)
    expect(page.get_by_text("5 pictures, not kept")).to_be_visible()

    assert len(sent) == 1
    names = [name for name, _ in sent[0]]
    assert (names.count("snapshot"), names.count("challenge")) == (5, 1)
    assert 5 <= names.count("frame") <= 12


def test_refused_field_loses_no_picture(visitors: Visitors, webcam: Webcam, transactional_db):
    User.objects.create_user("ada")
    webcam.turn("obama")
    page = visitors.open("/signup/")
    fill_in_account(page)
    give_photos(page, "obama")
    page.get_by_role("button", name="Sign up").click()
    taken = "A user with that username already exists."
    expect(page.get_by_text(taken).first).to_be_visible(timeout=PATIENTLY)
    expect(page.get_by_role("img", name="Picture 5")).to_be_visible()

    webcam.turn("obama")
    page.get_by_label("Username").fill("grace")
    page.get_by_role("button", name="Sign up").click()
    expect(page).to_have_url(PROFILE, timeout=PATIENTLY)
    assert User.objects.get(username="grace").face_shots == 5


def test_photos_of_somebody_else_are_not_enrolled(visitors: Visitors, webcam: Webcam, member: User):
    webcam.turn("obama")
    page = visitors.open("/face/enrol/", user=member)
    give_photos(page, "biden")
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


def test_withdrawn_consent_ends_the_turning(visitors: Visitors, webcam: Webcam):
    webcam.sit("obama")
    page = visitors.open("/signup/")
    sent = posts(page, "/signup/")
    fill_in_account(page)
    page.get_by_label("Password").fill(PASSWORD)
    give_photos(page, "obama")
    page.get_by_role("button", name="Sign up").click()
    expect(status(page)).to_contain_text("Turn your head slowly")
    assert_accessible(page)

    page.get_by_label("I agree").uncheck()
    expect(page.locator("video")).to_be_hidden()
    assert page.evaluate("document.querySelector('video').srcObject") is None
    assert not sent
    page.get_by_role("button", name="Sign up").click()
    expect(page).to_have_url(PROFILE)
    assert not User.objects.get().has_face


def test_replaced_picture_ends_the_turning(visitors: Visitors, webcam: Webcam, member: User):
    webcam.sit("obama")
    page = visitors.open("/face/enrol/", user=member)
    give_photos(page, "obama")
    page.get_by_role("button", name="Enrol my face").click()
    expect(status(page)).to_contain_text("Turn your head slowly")
    page.get_by_role("button", name="Replace picture 1").click()
    expect(page.locator("[data-part=prompt]")).to_contain_text("1 of 5")
    expect(page.get_by_role("img", name="Picture 1: Straight")).to_be_visible()
    expect(status(page)).to_contain_text("All pictures taken.")


def test_site_that_asks_for_no_turns_at_enrolment_takes_photos(
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


def give_photos(page: Page, name: str) -> None:
    """Agree, and choose photos of that person."""
    page.get_by_label("I agree").check()
    page.get_by_label("Use photos instead").set_input_files(photos_of(name))
    expect(status(page)).to_contain_text("All pictures taken.")
