"""Who somebody says to be: known from the device, asked for, or asked for at once."""

from __future__ import annotations

import re
from typing import Any

from playwright.sync_api import Page, Route, expect

from accounts.models import User
from tests.support.accessibility import assert_accessible
from tests.support.browsing import (
    NOT_RECOGNISED_ALONE,
    PASSWORD,
    Visitors,
    log_in_by_password,
    photo,
    sent_to,
)
from tests.support.webcam import Webcam

PROFILE = re.compile("/accounts/profile/$")


def test_who_is_not_recognised_is_asked_for_the_username(
    visitors: Visitors, webcam: Webcam, member: User
):
    webcam.show("biden")
    page = visitors.open("/face/login/", camera="allowed when asked")
    expect(username(page)).to_be_hidden()
    held: list[Route] = []
    page.route("**/face/login/", lambda route: held.append(route), times=1)
    page.get_by_role("button", name="Turn on the camera").click()
    expect(status(page)).to_have_text("Checking…")
    # Somebody who types a password meanwhile goes on typing it.
    secret = password(page).get_by_label("Password")
    secret.press_sequentially("a lovely")
    held[0].continue_()
    expect(page.get_by_text(NOT_RECOGNISED_ALONE).first).to_be_visible()
    expect(username(page)).to_be_visible()
    expect(secret).to_be_focused()

    webcam.show("obama")
    username(page).fill("ada")
    sent = sent_to(page, "/face/login/")
    username(page).blur()
    expect(page).to_have_url(PROFILE)
    assert len(sent) == 1
    assert ("username", "ada") in sent[0]


def test_login_sends_a_look_of_three_frames(visitors: Visitors, webcam: Webcam, member: User):
    webcam.show("obama", "obama smile", seconds_each=0.1)
    page = visitors.open("/face/login/", camera="allowed when asked")
    page.evaluate(
        "addEventListener('faceauth:capture', ({detail}) => { window.captured = detail })"
    )
    sent = sent_to(page, "/face/login/")
    held: list[Route] = []
    page.route("**/face/login/", lambda route: held.append(route))
    page.get_by_role("button", name="Turn on the camera").click()
    expect(status(page)).to_have_text("Checking…")
    assert page.evaluate("[captured.pictures.length, captured.automatic]") == [3, True]
    held[0].continue_()
    expect(page).to_have_url(PROFILE)
    assert [names(each).count("snapshot") for each in sent] == [3]


def test_chosen_photo_is_sent_alone(visitors: Visitors, member: User):
    page = visitors.open("/face/login/", camera="missing")
    sent = sent_to(page, "/face/login/")
    page.get_by_label("Use a photo instead").set_input_files(photo("obama"))
    expect(page).to_have_url(PROFILE)
    assert [names(each).count("snapshot") for each in sent] == [1]


def test_site_that_wants_a_username_takes_no_picture_without(
    visitors: Visitors, webcam: Webcam, member: User, settings
):
    settings.FACEAUTH = {**settings.FACEAUTH, "FACE_ALONE": False}
    webcam.show("obama")
    page = visitors.open("/face/login/")
    sent = sent_to(page, "/face/login/")
    expect(status(page)).to_have_text("Enter your username or email, then look into the camera.")
    name = face(page).get_by_label("Username or email")
    # Before the camera, for the eye and for Tab.
    expect(page.locator("[data-field=username]:has(~ .faceauth)")).to_be_visible()
    assert_accessible(page)

    # Asked for, the picture is not taken either, and what is missing has the focus.
    page.get_by_role("button", name="Take the picture").click()
    expect(name).to_be_focused()
    assert not sent
    name.fill("ada")
    name.press("Enter")
    expect(page).to_have_url(PROFILE)


def test_site_that_wants_a_username_knows_the_people_of_a_trusted_device(
    visitors: Visitors, member: User, settings
):
    settings.FACEAUTH = {**settings.FACEAUTH, "FACE_ALONE": False}
    page = visitors.open("/face/login/", camera="missing")
    log_in_by_password(page, PASSWORD)
    page.get_by_role("button", name="Log out").click()

    page.goto("/face/login/")
    expect(username(page)).to_be_hidden()
    page.get_by_label("Use a photo instead").set_input_files(photo("obama"))
    expect(page).to_have_url(PROFILE)


def names(form: list[tuple[str, Any]]) -> list[str]:
    return [name for name, _ in form]


def face(page: Page):
    return page.get_by_role("region", name="With your face")


def password(page: Page):
    return page.get_by_role("region", name="With your password")


def username(page: Page):
    return page.get_by_label("Username or email")


def status(page: Page):
    return page.locator("[data-part=status]")
