"""What scripts of a page's own are told, as docs/customise.md says."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tests.support import guides
from tests.support.browsing import Visitors
from tests.support.webcam import Webcam

HEAR = """() => {
  window.heard = [];
  for (const each of ["preview", "challenge", "capture", "success", "error"]) {
    addEventListener(`faceauth:${each}`, ({ target, detail }) => {
      if (!target.matches(".faceauth")) throw new Error("not from the camera's element");
      heard.push([each, Object.keys(detail).sort()]);
    });
  }
}"""

OWN_NAMES = "Object.getOwnPropertyNames(window).filter((each) => !/^[0-9]+$/.test(each)).sort()"


def test_a_pages_script_hears_what_happens_and_may_stay_on_the_page(
    visitors: Visitors, webcam: Webcam, member
):
    (script,) = guides.blocks("customise.md", "js")
    webcam.show("biden")
    page = visitors.open("/face/login/", camera="allowed when asked")
    page.evaluate(HEAR)
    page.evaluate(f"() => {{ {script.text} }}")
    page.get_by_role("button", name="Turn on the camera").click()
    expect(page.locator("body")).to_have_attribute("data-refused", "not_recognised")

    webcam.show("obama")
    page.get_by_role("button", name="Try again").click()
    expect(page.locator("body")).to_have_attribute("data-welcome", "ada")
    expect(page).to_have_url("/face/login/")
    heard = dict(page.evaluate("heard"))
    assert heard == {
        "preview": ["code", "face", "faces", "hint", "message", "ok"],
        "capture": ["automatic", "pictures"],
        "error": ["code", "fields", "message", "retryAfter", "status"],
        "success": ["message", "next", "user"],
    }


def test_a_pages_script_hears_of_each_step(visitors: Visitors, webcam: Webcam, member, settings):
    settings.FACEAUTH = {**settings.FACEAUTH, "CHALLENGE": "full"}
    webcam.sit("obama")
    page = visitors.open("/face/login/", camera="allowed when asked")
    page.evaluate(HEAR)
    page.get_by_role("button", name="Turn on the camera").click()
    expect(page.locator(".faceauth")).to_have_attribute("data-step", re.compile("."))
    assert ["challenge", ["done", "share", "step", "total"]] in page.evaluate("heard")


def test_the_camera_says_in_attributes_what_it_does(visitors: Visitors, member):
    page = visitors.open("/face/login/", camera="refused")
    camera = page.locator(".faceauth")
    expect(camera).to_have_attribute("data-faceauth", "login")
    expect(camera).to_have_attribute("data-state", "problem")
    expect(camera).to_have_attribute("data-problem", "refused")
    expect(camera).to_have_attribute("data-tone", "bad")
    expect(camera).to_have_attribute("data-pose", "straight")


def test_no_script_of_the_app_leaves_a_global_name(visitors: Visitors, member):
    page = visitors.open("/static/faceauth/pages.css")  # no page, and no script
    before = set(page.evaluate(OWN_NAMES))
    page.goto("/face/login/")
    expect(page.locator(".faceauth")).to_have_attribute("data-state", "live")
    assert set(page.evaluate(OWN_NAMES)) - before == set()
