from __future__ import annotations

import json
import re

import pytest
from django.conf import settings
from django.test import override_settings
from playwright.sync_api import expect

from accounts.models import User
from tests.support.accessibility import assert_accessible
from tests.support.browsing import NOT_RECOGNISED_ALONE, Visitors, pose
from tests.support.webcam import Webcam

PHONE = {"width": 320, "height": 568}


def test_enrols_again(visitors: Visitors, webcam: Webcam, member: User):
    webcam.show("obama")
    page = visitors.open("/accounts/profile/", user=member)
    page.get_by_role("link", name="Enrol again").click()
    page.get_by_label("I agree").check()
    pose(page, webcam, "obama")
    page.get_by_role("button", name="Enrol my face").click()

    expect(page).to_have_url(re.compile("/accounts/profile/$"))
    expect(page.get_by_text("Your face is enrolled")).to_be_visible()
    assert User.objects.get().face_shots == 5


@pytest.mark.smoke
def test_removes_the_face_which_then_opens_nothing(
    visitors: Visitors, webcam: Webcam, member: User
):
    page = visitors.open("/accounts/profile/", user=member)
    page.get_by_role("link", name="Remove").click()
    page.get_by_role("button", name="Remove my face").click()
    expect(page.get_by_text("Your face was removed.")).to_be_visible()
    expect(page.get_by_role("link", name="Set up face login")).to_be_visible()

    page.get_by_role("button", name="Log out").click()
    webcam.show("obama")
    page.goto("/face/login/")
    expect(page.get_by_text(NOT_RECOGNISED_ALONE).first).to_be_visible()


def test_downloads_what_is_kept(visitors: Visitors, member: User):
    page = visitors.open("/accounts/profile/", user=member)
    with page.expect_download() as downloading:
        page.get_by_role("link", name="Download").click()
    assert downloading.value.suggested_filename == "face.json"
    data = json.loads(downloading.value.path().read_text())
    assert data["username"] == "ada"
    assert len(data["face"]["encodings"]) == member.face_shots


def test_reads_what_has_changed_and_agrees(visitors: Visitors, member: User):
    with override_settings(FACEAUTH={**settings.FACEAUTH, "NOTICE_VERSION": "2"}):
        page = visitors.open("/accounts/profile/", user=member, viewport=PHONE)
        page.get_by_role("link", name="Read it, then agree or remove your face").click()
        assert_accessible(page)
        page.get_by_role("button", name="I agree").click()
        expect(page.get_by_text("You have agreed to the new notice.")).to_be_visible()
        expect(page.get_by_text("to version 2 of the notice")).to_be_visible()
        assert_accessible(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def test_keeps_the_only_way_in_until_there_is_a_password(visitors: Visitors, member: User):
    member.set_unusable_password()
    member.email = ""
    member.save()
    page = visitors.open("/face/remove/", user=member)
    expect(page.get_by_text("Your face is your only way to log in.")).to_be_visible()
    page.get_by_role("link", name="Set a password").click()
    page.get_by_label("New password", exact=True).fill("a second engine of brass")
    page.get_by_label("New password confirmation").fill("a second engine of brass")
    page.get_by_role("button", name="Save").click()

    expect(page.get_by_text("Your password was changed.")).to_be_visible()
    page.goto("/face/remove/")
    expect(page.get_by_role("button", name="Remove my face")).to_be_visible()
