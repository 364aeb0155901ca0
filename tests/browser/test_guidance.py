"""Enrolment leads through its poses; whoever cannot take one goes on without it."""

from __future__ import annotations

import re
from itertools import groupby, takewhile

import pytest
from playwright.sync_api import Page, expect

from accounts.models import User
from tests.support.accessibility import assert_accessible
from tests.support.browsing import Visitors, pose, sent_to
from tests.support.webcam import Webcam

PROMPTS = [
    "1 of 5: Look straight into the camera",
    "2 of 5: Turn your head a little to your left",
    "3 of 5: Turn your head a little to your right",
    "4 of 5: Lift your chin a little",
    "5 of 5: Look straight again, and smile",
]
PHONE = {"width": 320, "height": 568}
ADVICE = {"ok": False, "code": "turn_left", "message": "Turn.", "faces": 1, "face": None}


def test_waits_for_each_pose_and_says_which(visitors: Visitors, webcam: Webcam, member: User):
    webcam.show("obama")
    page = visitors.open("/face/enrol/", user=member)
    previews = sent_to(page, "/face/frames/")
    page.get_by_label("I agree").check()
    expect(current(page)).to_have_text(re.compile("Straight"))
    expect(page.get_by_role("img", name="Picture 1: Straight")).to_be_visible()

    # Looking straight ahead still: the page asks to turn, and where to.
    expect(current(page)).to_have_text(re.compile("Left"))
    expect(prompt(page)).to_have_text(PROMPTS[1])
    expect(page.locator("[data-part=prompt]")).to_have_text("Picture 2 of 5")
    # Heard once.
    expect(page.locator("[data-part=announcer]")).to_have_text("")
    expect(status(page)).to_have_text("Turn your head a little to your left.")
    arrow = page.locator(".faceauth-arrow")
    expect(arrow).to_be_visible()
    page.emulate_media(reduced_motion="reduce")
    expect(arrow).to_have_css("animation-name", "none")
    expect(page.get_by_role("img", name="Picture 2")).to_be_hidden()

    pose(page, webcam, "obama")
    expect(page.locator("[aria-current]")).to_have_count(0)
    asked = [dict(each)["pose"] for each in previews]
    assert [pose for pose, _ in groupby(asked)] == ["straight", "left", "right", "up", "straight"]


def test_replaced_picture_is_of_the_same_pose(visitors: Visitors, webcam: Webcam, member: User):
    webcam.show("obama")
    page = enrolment(visitors, member, viewport=PHONE)
    pose(page, webcam, "obama")
    page.get_by_role("button", name="Replace picture 3: Right").click()

    expect(prompt(page)).to_have_text(PROMPTS[2])
    expect(current(page)).to_have_text(re.compile("Right"))
    expect(status(page)).to_have_text("Turn your head a little to your right.")
    assert_accessible(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    webcam.show("obama right")
    expect(page.get_by_role("img", name="Picture 3: Right")).to_be_visible()
    expect(status(page)).to_have_text("All pictures taken. Replace any you don’t like.")


def test_chin_is_lifted_from_where_it_was(visitors: Visitors, webcam: Webcam, member: User):
    webcam.show("obama")
    page = visitors.open("/face/enrol/", user=member)
    previews = sent_to(page, "/face/frames/")
    page.get_by_label("I agree").check()
    for number in 1, 2, 3:
        expect(prompt(page)).to_have_text(PROMPTS[number - 1])
        if number > 1:
            page.get_by_role("button", name="Take the picture").click()
    expect(prompt(page)).to_have_text(PROMPTS[3])
    expect(status(page)).to_have_text("Lift your chin a little.")
    webcam.show("obama up")
    expect(page.get_by_role("img", name="Picture 4: Chin up")).to_be_visible()
    # What the server saw when the first picture was taken.
    forms = [dict(each) for each in previews]
    levels = {float(each["level"]) for each in forms if each["pose"] == "up"}
    assert list(levels) == [pytest.approx(0.74, abs=0.05)]
    # The last picture, straight ahead again, is compared with it as well.
    before = takewhile(lambda each: each["pose"] != "up", forms)
    assert all("level" not in each for each in before)


def test_pose_that_somebody_cannot_take_is_done_without(
    visitors: Visitors, webcam: Webcam, member: User
):
    webcam.show("obama")
    page = enrolment(visitors, member)
    page.route("**/face/frames/", lambda route: route.fulfill(json=ADVICE))
    page.get_by_role("button", name="Take the picture").click()
    expect(prompt(page)).to_have_text(PROMPTS[1])
    expect(status(page)).to_have_text("Turn.")

    expect(status(page)).to_have_text("Turn. If you can’t, press “Take the picture”.")
    page.get_by_role("button", name="Take the picture").click()
    expect(page.get_by_role("img", name="Picture 2: Left")).to_be_visible()
    expect(prompt(page)).to_have_text(PROMPTS[2])


def test_sunglasses_are_noticed_and_forbid_nothing(
    visitors: Visitors, webcam: Webcam, member: User
):
    webcam.show("obama glasses")
    page = enrolment(visitors, member)
    expect(status(page)).to_have_text("Take off your sunglasses.")
    expect(page.get_by_role("img", name="Picture 1:")).to_be_hidden()
    # Whoever keeps them on, or wears none, goes on after a while.
    expect(page.get_by_role("img", name="Picture 1:")).to_be_visible()


@pytest.mark.parametrize(("width", "height"), [(640, 400), (844, 390), (390, 844), (1280, 800)])
def test_face_words_and_progress_are_in_view_together(
    visitors: Visitors, webcam: Webcam, member: User, width, height
):
    webcam.show("obama")
    page = enrolment(visitors, member, viewport={"width": width, "height": height})
    expect(status(page)).to_have_text("Turn your head a little to your left.")
    for part in "video", "prompt", "status", "shots":
        expect(page.locator(f"[data-part={part}]")).to_be_in_viewport(ratio=0.99)
    boxes = [
        page.locator(f"[data-part=shots] > li:nth-child({number})").bounding_box()
        for number in (1, 5)
    ]
    assert len({box["y"] for box in boxes if box}) == 1


def test_asks_for_as_many_pictures_as_the_site_wants(
    visitors: Visitors, webcam: Webcam, member: User, settings
):
    settings.FACEAUTH = {**settings.FACEAUTH, "ENROLMENT_SHOTS": 6}
    page = enrolment(visitors, member, camera="missing")
    slots = page.locator("[data-part=shots] > li")
    expect(slots).to_have_text(
        [re.compile(each) for each in ("Straight", "Left", "Right", "Chin up", "Smile", "Straight")]
    )

    settings.FACEAUTH = {**settings.FACEAUTH, "ENROLMENT_SHOTS": 1}
    page = enrolment(visitors, member, camera="missing")
    expect(page.locator("[data-part=shots] > li")).to_have_count(1)


def enrolment(visitors: Visitors, member: User, **circumstances) -> Page:
    page = visitors.open("/face/enrol/", user=member, **circumstances)
    page.get_by_label("I agree").check()
    return page


def prompt(page: Page):
    """Return what is heard at once."""
    return page.locator("[data-part=alert]")


def status(page: Page):
    return page.locator("[data-part=status]")


def current(page: Page):
    return page.locator("[aria-current=step]")
