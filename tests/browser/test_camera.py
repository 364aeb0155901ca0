"""Without a camera the page says why, and a photo does as well."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.support.browsing import INSECURE_HOST, Visitors, photo

CIRCUMSTANCES = {
    "refused": ({"camera": "refused when asked"}, "This site may not use your camera."),
    "refused before": ({"camera": "refused"}, "This site may not use your camera."),
    "missing": ({"camera": "missing"}, "No camera was found."),
    "insecure": ({"host": INSECURE_HOST}, "Browsers give the camera only to secure pages."),
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


def test_asks_for_the_camera_again_once_it_is_allowed(visitors: Visitors, webcam, member):
    webcam.show("obama")
    page = visitors.open("/face/login/", camera="refused")
    expect(page.get_by_text("This site may not use your camera.").first).to_be_visible()

    page.context.grant_permissions(["camera"])
    page.get_by_role("button", name="Try again").click()
    expect(page).to_have_url(re.compile("/accounts/profile/$"))
