"""Turning the head as the page asks: what shows that a face is no picture."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from accounts.models import User
from faceauth.liveness import challenge
from tests.support.accessibility import assert_accessible
from tests.support.browsing import (
    NOT_RECOGNISED_ALONE,
    PASSWORD,
    PATIENTLY,
    Visitors,
    log_in_by_password,
    posts,
    sent_to,
    status,
)
from tests.support.webcam import Webcam

PROFILE = re.compile("/accounts/profile/$")
INTRO = "Show that it’s really you: turn your head as asked."
STEPS = [
    "1 of 4: Turn your head slowly to your left.",
    "2 of 4: Good. Now slowly back to the middle.",
    "3 of 4: Turn your head slowly to your right.",
    "4 of 4: Good. Now slowly back to the middle.",
]
PHONE = {"width": 320, "height": 568}


@pytest.fixture(autouse=True)
def challenged(settings, monkeypatch) -> None:
    """Heads have to turn, to the left first."""
    settings.FACEAUTH = {**settings.FACEAUTH, "CHALLENGE": "turns"}
    monkeypatch.setattr(challenge, "draw_turns", lambda count: ["left", "right"])


@pytest.mark.smoke
def test_head_that_turns_as_asked_logs_in(visitors: Visitors, webcam: Webcam, member: User):
    webcam.turn("obama")
    page = asked_for_the_camera(visitors)
    steps = told(page)
    sent = sent_to(page, "/face/login/")
    turn_on(page)
    expect(page).to_have_url(PROFILE, timeout=PATIENTLY)
    expect(page.get_by_text("Welcome back, ada.")).to_be_visible()

    assert [(each["step"], each["turn"], each["done"]) for each in steps[-5:]] == [
        ("turn", "left", 0),
        ("back", "left", 1),
        ("turn", "right", 2),
        ("back", "right", 3),
        ("done", None, 4),
    ]
    assert all(each["total"] == 4 for each in steps[-5:])
    names = [name for name, _ in sent[-1]]
    assert 5 <= names.count("snapshot") <= 12
    assert names.count("challenge") == 1


def test_photo_that_is_waved_about_does_not(visitors: Visitors, webcam: Webcam, member: User):
    webcam.wave("obama")
    page = asked_for_the_camera(visitors)
    sent = sent_to(page, "/face/login/")
    steps = told(page)
    turn_on(page)
    expect(status(page)).to_have_text(
        "Turn your head slowly to your left. If you can’t, log in with your password.",
        timeout=PATIENTLY,
    )
    assert {each["done"] for each in steps} == {0}
    assert not sent
    page.goto("/members/")
    expect(page).to_have_url(re.compile("/face/login/"))


@pytest.mark.smoke
def test_no_other_photo_can_be_given(visitors: Visitors, member: User):
    page = visitors.open("/face/login/", camera="missing")
    expect(status(page)).to_have_text(
        "No camera was found. Connect one and try again. Or log in with your password."
    )
    expect(page.locator("[type=file]")).to_have_count(0)
    expect(page.get_by_text(re.compile("Use a photo instead|Or use a photo"))).to_have_count(0)


def test_turn_the_other_way_begins_again(visitors: Visitors, webcam: Webcam, member: User):
    webcam.turn("obama", "right", "left")
    page = asked_for_the_camera(visitors)
    steps = told(page)
    turn_on(page)
    expect(status(page)).to_have_text("That was the wrong way. Look straight ahead to start again.")
    assert [each["step"] for each in steps] == ["straight", "turn", "straight"]
    expect(page).to_have_url(PROFILE, timeout=PATIENTLY)


def test_challenge_that_nobody_meets_in_time_is_replaced(
    visitors: Visitors, webcam: Webcam, member: User, settings
):
    settings.FACEAUTH = {**settings.FACEAUTH, "CHALLENGE_SECONDS": 3}
    webcam.sit("obama")
    page = visitors.open("/face/login/")
    challenges = posts(page, "/face/challenge/")
    expect(status(page)).to_have_text("That took too long. Look straight ahead to start again.")
    expect(status(page)).to_have_text("Turn your head slowly to your left.")
    assert len(challenges) > 1

    # Nobody seems to be there who would.
    expect(status(page)).to_have_text("Press “Start” to try again, or log in with your password.")
    expect(page.get_by_text("We didn’t see your head turn.")).to_be_visible()
    expect(page.get_by_text("Not recognised?")).to_be_visible()
    settings.FACEAUTH = {**settings.FACEAUTH, "CHALLENGE_SECONDS": 60}
    webcam.turn("obama")
    page.get_by_role("button", name="Start").click()
    expect(page).to_have_url(PROFILE, timeout=PATIENTLY)


def test_challenge_that_came_too_late_is_replaced(visitors: Visitors, webcam: Webcam, member: User):
    webcam.turn("obama")
    page = visitors.open("/face/login/")
    late = {"error": {"code": "challenge_expired", "message": "Too late."}}
    page.route("**/face/login/", lambda route: route.fulfill(status=400, json=late), times=1)
    steps = told(page)
    expect(page).to_have_url(PROFILE, timeout=PATIENTLY)
    assert [each["step"] for each in steps].count("done") == 2
    expect(page.get_by_text("Too late.")).to_have_count(0)


def test_camera_that_goes_away_in_between_sends_nothing(
    visitors: Visitors, webcam: Webcam, member: User
):
    webcam.turn("obama", aside=1.0)
    page = visitors.open("/face/login/")
    sent = posts(page, "/face/login/")
    expect(status(page)).to_have_text("Good. Now slowly back to the middle.", timeout=PATIENTLY)
    page.evaluate(
        """() => {
            const [track] = document.querySelector("video").srcObject.getTracks();
            track.stop();
            track.dispatchEvent(new Event("ended"));
        }"""
    )
    expect(status(page)).to_contain_text("The camera was switched off or disconnected.")
    expect(steps_shown(page)).to_have_count(0)
    assert not sent
    webcam.turn("obama")
    page.get_by_role("button", name="Try again").click()
    expect(page).to_have_url(PROFILE, timeout=PATIENTLY)


def test_page_that_is_left_in_between_begins_again(
    visitors: Visitors, webcam: Webcam, member: User
):
    webcam.turn("obama", aside=1.0)
    page = visitors.open("/face/login/")
    steps = told(page)
    expect(status(page)).to_have_text("Good. Now slowly back to the middle.", timeout=PATIENTLY)
    look_elsewhere(page, True)
    done = len(steps)
    page.wait_for_timeout(1500)
    assert [each["step"] for each in steps[done - 1 :]] == ["straight"]
    webcam.turn("obama")
    look_elsewhere(page, False)
    expect(page).to_have_url(PROFILE, timeout=PATIENTLY)


def test_nobody_is_there_for_a_while(visitors: Visitors, webcam: Webcam, member: User):
    webcam.turn("obama", aside=1.0)
    page = visitors.open("/face/login/")
    expect(status(page)).to_have_text("Good. Now slowly back to the middle.", timeout=PATIENTLY)
    webcam.show()
    expect(status(page)).to_contain_text("We can’t see a face.")
    expect(steps_shown(page)).to_have_count(0)
    webcam.turn("obama")
    expect(page).to_have_url(PROFILE, timeout=PATIENTLY)


def test_two_clicks_begin_one_look(visitors: Visitors, webcam: Webcam, member: User):
    webcam.turn("obama")
    page = asked_for_the_camera(visitors)
    sent = posts(page, "/face/login/")
    # Whoever is typing is not asked to turn their head before they ask for it.
    turn_on(page)
    page.get_by_role("textbox", name="Password").fill("secret")
    expect(status(page)).to_have_text("Ready. Press “Start”.")
    page.get_by_role("button", name="Start").dblclick()
    expect(page.get_by_role("button", name="Start again")).to_be_focused()
    expect(page).to_have_url(PROFILE, timeout=PATIENTLY)
    assert len(sent) == 1


def test_whoever_begins_to_type_is_left_alone(visitors: Visitors, webcam: Webcam, member: User):
    webcam.sit("obama")
    page = visitors.open("/face/login/")
    expect(status(page)).to_have_text("Turn your head slowly to your left.")
    page.get_by_role("textbox", name="Password").focus()
    expect(status(page)).to_have_text("Ready. Press “Start”.")
    expect(steps_shown(page)).to_have_count(0)


def test_site_that_gives_no_challenge_says_why(visitors: Visitors, webcam: Webcam, member: User):
    webcam.sit("obama")
    page = visitors.open("/face/login/", camera="allowed when asked")
    refused = {"error": {"code": "too_many_attempts", "message": "Wait a while."}}
    page.route("**/face/challenge/", lambda route: route.fulfill(status=429, json=refused))
    turn_on(page)
    expect(page.get_by_text("Wait a while.").first).to_be_visible()
    expect(status(page)).to_have_text("Press “Start” to try again, or log in with your password.")


def test_steps_are_read_out_in_order(visitors: Visitors, webcam: Webcam, member: User):
    webcam.sit("obama")
    page = asked_for_the_camera(visitors)
    heard: list[str] = []
    page.expose_function("hear", lambda text: heard.append(text))
    page.evaluate(
        """() => {
            const region = document.querySelector("[data-part=announcer]");
            new MutationObserver(() => hear(region.textContent)).observe(region, {childList: true});
        }"""
    )
    turn_on(page)
    steps = [f"{INTRO} {STEPS[0]}", *STEPS[1:]]
    # Nobody turns before they hear of it; a film that does may be ahead of what is read out.
    expect(page.locator("[data-part=announcer]")).to_have_text(steps[0])
    webcam.turn("obama", straight=2, aside=2)
    expect(page).to_have_url(PROFILE, timeout=PATIENTLY)
    told = [each for each in heard[: heard.index("Checking…")] if each in steps]
    assert steps[0] in told
    # Where the server is slow, a step that is over by then is not read out any more.
    assert len(set(told[-3:])) == 3
    assert told[-3:] == [each for each in steps if each in told[-3:]]


@pytest.mark.parametrize("color_scheme", ["light", "dark"])
def test_turning_is_accessible(visitors: Visitors, webcam: Webcam, member: User, color_scheme):
    webcam.sit("obama")
    page = visitors.open("/face/login/", color_scheme=color_scheme, viewport=PHONE)
    expect(status(page)).to_have_text("Turn your head slowly to your left.")
    expect(page.get_by_text("You’ll be asked to move your head")).to_be_visible()
    expect(steps_shown(page)).to_have_count(4)
    assert_accessible(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def test_arrow_is_on_the_side_to_turn_to_and_can_keep_still(
    visitors: Visitors, webcam: Webcam, member: User
):
    webcam.sit("obama")
    page = visitors.open("/face/login/", reduced_motion="reduce")
    arrow = page.locator(".faceauth-arrow")
    expect(arrow).to_be_visible()
    expect(arrow).to_have_css("animation-name", "none")
    expect(page.locator(".faceauth-arc")).to_have_css("transition-property", "none")
    middle = [centre(each) for each in (arrow, page.locator("video"))]
    assert middle[0] < middle[1]


def test_refused_face_that_the_password_confirms_is_learned(
    visitors: Visitors, webcam: Webcam, member: User, settings
):
    # So strict that nobody is recognised who gives no username.
    strict = {"MAX_FALSE_IDENTIFICATION_RATE": 1e-9, "ADAPT": True}
    settings.FACEAUTH = {**settings.FACEAUTH, **strict}
    webcam.turn("obama")
    page = visitors.open("/face/login/")
    expect(page.get_by_text(NOT_RECOGNISED_ALONE).first).to_be_visible(timeout=PATIENTLY)
    log_in_by_password(page, PASSWORD)
    expect(page).to_have_url(PROFILE)
    assert User.objects.get().face_adapted_at


def test_without_javascript_the_password_is_left(visitors: Visitors, member: User):
    page = visitors.open("/face/login/", java_script_enabled=False)
    note = page.locator("noscript p")
    expect(note).to_contain_text("Face login needs JavaScript and a camera.")
    expect(page.locator("[type=file]:visible, .faceauth:visible")).to_have_count(0)
    note.locator("a").click()
    log_in_by_password(page, PASSWORD)
    expect(page).to_have_url(PROFILE)


def asked_for_the_camera(visitors: Visitors) -> Page:
    """Open the login page, whose camera waits for somebody to turn it on."""
    return visitors.open("/face/login/", camera="allowed when asked")


def turn_on(page: Page) -> None:
    page.get_by_role("button", name="Turn on the camera").click()


def steps_shown(page: Page):
    return page.locator("[data-part=steps] > li:visible")


def centre(element) -> float:
    box = element.bounding_box()
    return box["x"] + box["width"] / 2


def told(page: Page) -> list[dict[str, Any]]:
    """Collect what the page is told of the challenge from now on."""
    steps: list[dict[str, Any]] = []
    page.expose_function("noteStep", lambda step: steps.append(step))
    page.evaluate("addEventListener('faceauth:challenge', ({detail}) => noteStep(detail))")
    return steps


def look_elsewhere(page: Page, hidden: bool) -> None:
    """Let the page believe that another tab is shown, or that it is back."""
    page.evaluate(
        """(hidden) => {
            Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
            document.dispatchEvent(new Event("visibilitychange"));
        }""",
        hidden,
    )
