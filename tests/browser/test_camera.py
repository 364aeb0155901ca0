"""Without a camera the page says why, and a photo does as well."""

from __future__ import annotations

import re
from typing import Any

import cv2
import numpy as np
import pytest
from playwright.sync_api import expect

from tests.support.accessibility import assert_accessible
from tests.support.browsing import INSECURE_HOST, UNREADABLE, Visitors, explanation, photo
from tests.support.webcam import frame

CIRCUMSTANCES = {
    "refused": ({"camera": "refused when asked"}, "This site isn’t allowed to use your camera."),
    "refused before": ({"camera": "refused"}, "This site isn’t allowed to use your camera."),
    "missing": ({"camera": "missing"}, "No camera was found."),
    "insecure": ({"host": INSECURE_HOST}, "The camera works only on secure pages."),
}


@pytest.mark.parametrize(("circumstances", "words"), CIRCUMSTANCES.values(), ids=CIRCUMSTANCES)
def test_says_why_there_is_no_camera_and_takes_a_photo(
    visitors: Visitors, member, circumstances, words
):
    page = visitors.open("/face/login/", **circumstances)
    if circumstances.get("camera") == "refused when asked":
        page.get_by_role("button", name="Turn on the camera").click()
    expect(page.locator("[data-part=status]")).to_contain_text(words)

    page.get_by_label("Use a photo instead").set_input_files(photo("obama"))
    expect(page).to_have_url(re.compile("/accounts/profile/$"))
    expect(page.get_by_text("Welcome back, ada.")).to_be_visible()


def test_a_file_that_is_no_picture_is_refused(visitors: Visitors, member):
    page = visitors.open("/face/login/", camera="refused")
    page.get_by_label("Use a photo instead").set_input_files(UNREADABLE)
    refusal = "We can’t read this file as a picture. Use a JPEG, PNG or WebP file."
    expect(explanation(page)).to_have_text(refusal)
    page.get_by_label("Use a photo instead").set_input_files(photo("obama"))
    expect(page).to_have_url(re.compile("/accounts/profile/$"))


def test_without_a_picture_there_is_one_wide_sign_with_its_button_in_view(visitors: Visitors):
    page = visitors.open("/face/login/", camera="refused", viewport={"width": 844, "height": 390})
    expect(page.get_by_role("button", name="Try again")).to_be_in_viewport(ratio=1)
    # Nobody is refused with a smile.
    expect(page.locator(".faceauth .faceauth-smile")).to_be_hidden()
    expect(page.locator(".brand .faceauth-smile")).to_be_visible()


def test_shows_what_the_camera_sees_as_a_mirror_would(visitors: Visitors, webcam):
    webcam.show("biden")
    page = visitors.open("/face/login/", camera="refused")
    # Nothing is to happen to the picture while it is looked at.
    advice = {"ok": False, "code": "too_dark", "message": "Wait.", "faces": 0, "face": None}
    page.route("**/face/frames/", lambda route: route.fulfill(json=advice))
    page.context.grant_permissions(["camera"])
    expect(page.locator("[data-part=status]")).to_contain_text("Wait.")
    page.wait_for_timeout(500)

    png = page.locator("[data-part=video]").screenshot()
    shown: Any = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_COLOR)
    mirrored = cv2.resize(frame("biden")[:, ::-1], shown.shape[1::-1])
    height, width = shown.shape[:2]
    # Inside the oval, where nothing lies over the picture.
    middle = slice(height * 3 // 8, height * 5 // 8), slice(width * 3 // 8, width * 5 // 8)
    assert np.abs(shown[middle].astype(int) - mirrored[middle]).mean() < 12
    assert np.abs(shown[middle].astype(int) - mirrored[:, ::-1][middle]).mean() > 20


def test_camera_that_is_allowed_again_starts_by_itself(visitors: Visitors, webcam, member):
    webcam.show("obama")
    page = visitors.open("/face/login/", camera="refused")
    expect(page.get_by_text("This site isn’t allowed to use your camera.").first).to_be_visible()
    page.context.grant_permissions(["camera"])
    expect(page).to_have_url(re.compile("/accounts/profile/$"))


def test_one_of_several_cameras_can_be_chosen_and_is_remembered(visitors: Visitors, webcam):
    page = visitors.open("/face/login/", camera="three")
    cameras = page.get_by_label("Camera", exact=True)
    expect(cameras.locator("option")).to_have_count(3)
    first, _, third = cameras.locator("option").all_inner_texts()
    expect(cameras).to_have_value(camera_id(page))
    cameras.focus()
    # One key: on a slow machine, letters come apart, and each on its own chooses the next one.
    page.keyboard.press("End")
    expect(cameras.locator("option:checked")).to_have_text(third)
    expect(cameras).to_be_focused()
    assert_accessible(page)
    page.wait_for_function(f"id => {SHOWN} === id", arg=cameras.input_value())

    page.reload()
    expect(cameras.locator("option:checked")).to_have_text(third)
    # It was disconnected since: another one does.
    page.evaluate("localStorage.setItem('faceauth-camera', 'gone')")
    page.reload()
    expect(cameras.locator("option:checked")).to_have_text(first)


def test_one_camera_is_not_asked_for(visitors: Visitors, webcam):
    page = visitors.open("/face/login/")
    expect(page.locator("[data-part=status]")).to_contain_text("We can’t see a face.")
    expect(page.get_by_label("Camera", exact=True)).to_be_hidden()


def test_camera_that_shows_nothing_is_said_to_be_in_use(visitors: Visitors):
    page = visitors.open("/face/login/", camera="refused")
    page.evaluate(
        """() => {
            const stream = () => new MediaStream([
                ...document.createElement("canvas").captureStream(0).getVideoTracks()
            ]);
            navigator.mediaDevices.getUserMedia = async () => stream();
        }"""
    )
    page.context.grant_permissions(["camera"])
    expect(page.locator("[data-part=status]")).to_contain_text("The camera isn’t responding.")
    expect(page.get_by_role("button", name="Try again")).to_be_visible()


SHOWN = "document.querySelector('video').srcObject?.getVideoTracks()[0].getSettings().deviceId"


def camera_id(page) -> str:
    """Return the id of the camera that is on."""
    return str(page.wait_for_function(f"() => {SHOWN}").json_value())
