"""Moving the head as the page asks: what shows that a face is no picture."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, Response, expect

from accounts.models import User
from faceauth.liveness import steps
from faceauth.models import LoginTiming
from tests.support.accessibility import assert_accessible
from tests.support.browsing import (
    NOT_RECOGNISED_ALONE,
    PASSWORD,
    PATIENTLY,
    Visitors,
    explanation,
    log_in_by_password,
    posts,
    sent_to,
    status,
)
from tests.support.webcam import Webcam

PROFILE = re.compile("/accounts/profile/$")
FRAMES = "**/face/frames/"
LEFT = "Turn your head to your left."
MOVED_OTHERWISE = "That was another movement. Follow the arrow with your whole head."
TOO_LATE = "That took too long. Follow the arrow as soon as you see it."
PHONE = {"width": 320, "height": 568}


@pytest.fixture(autouse=True)
def challenged(settings) -> None:
    settings.FACEAUTH = {**settings.FACEAUTH, "CHALLENGE": "full"}


@pytest.fixture
def ask(monkeypatch) -> Callable[..., None]:
    """Choose the steps instead of chance."""

    def choose(*chosen: str) -> None:
        monkeypatch.setattr(steps, "draw", lambda kind: list(chosen))

    return choose


@pytest.mark.smoke
def test_person_who_moves_as_asked_logs_in(
    visitors: Visitors, webcam: Webcam, member: User, ask: Callable[..., None]
):
    ask("left", "closer", "right_up")
    webcam.follow("obama")
    page = asked_for_the_camera(visitors)
    told = told_of(page)
    sent = sent_to(page, "/face/login/")
    frames = posts(page, "/face/frames/")
    turn_on(page)
    expect(page).to_have_url(PROFILE, timeout=PATIENTLY)
    expect(page.get_by_text("Welcome back, ada.")).to_be_visible()

    shown = [(each["step"], each["done"]) for each in told]
    in_order = [each for i, each in enumerate(shown) if each not in shown[:i]]
    assert in_order == [("look", 0), ("left", 0), ("closer", 1), ("right_up", 2), ("passed", 3)]
    assert {each["total"] for each in told[1:]} == {3}
    assert len(frames) > 5
    # The login names the challenge, and sends no picture.
    names = [name for name, _ in sent[-1]]
    assert names.count("challenge") == 1
    assert not {"snapshot", "frame"} & {*names}
    times = json.loads(dict(sent[-1])["timings"])
    assert 0 < times["camera"] <= times["face"] <= times["steps"]
    assert LoginTiming.objects.get().steps == pytest.approx(times["steps"])


def test_photo_that_is_waved_about_does_not(visitors: Visitors, webcam: Webcam, member: User):
    webcam.wave("obama")
    page = visitors.open("/face/login/")
    sent = posts(page, "/face/login/")
    # It is stopped after three challenges, or waits to be held still.
    page.wait_for_timeout(12_000)
    assert not sent
    page.goto("/members/")
    expect(page).to_have_url(re.compile("/face/login/"))


@pytest.mark.smoke
def test_no_other_photo_can_be_given(visitors: Visitors, member: User):
    page = visitors.open("/face/login/", camera="missing")
    expect(explanation(page)).to_have_text(
        "No camera was found. Connect one and try again. Or log in with your password."
    )
    expect(page.locator("[type=file]")).to_have_count(0)
    expect(page.get_by_text(re.compile("Use a photo instead|Or use a photo"))).to_have_count(0)


def test_somebody_who_only_looks_is_asked_three_times(
    visitors: Visitors, webcam: Webcam, member: User, ask: Callable[..., None]
):
    ask("left")
    webcam.sit("obama")
    page = visitors.open("/face/login/")
    ended: list[Response] = []
    page.on("response", lambda answer: ended.append(answer) if answer.status == 400 else None)
    expect(status(page)).to_have_text(TOO_LATE)
    expect(status(page)).to_have_text(LEFT)
    expect(explanation(page)).to_have_text(TOO_LATE)
    expect(explanation(page)).to_be_focused()
    expect(page.locator("#face").locator("..").get_by_role("link", name="Log in")).to_be_visible()
    assert len(ended) == 3

    webcam.follow("obama")
    page.get_by_role("button", name="Try again").click()
    expect(page).to_have_url(PROFILE, timeout=PATIENTLY)


def test_other_movement_begins_again(
    visitors: Visitors, webcam: Webcam, member: User, ask: Callable[..., None]
):
    ask("left")
    webcam.follow("obama", does={"left": "down"})
    page = visitors.open("/face/login/")
    expect(status(page)).to_have_text(MOVED_OTHERWISE)
    webcam.follow("obama")
    expect(page).to_have_url(PROFILE, timeout=PATIENTLY)


def test_camera_that_mirrors_is_explained(
    visitors: Visitors, webcam: Webcam, member: User, ask: Callable[..., None]
):
    ask("left")
    webcam.follow("obama", does={"left": "right"})
    page = visitors.open("/face/login/")
    expect(explanation(page)).to_contain_text("your camera mirrors its picture", timeout=PATIENTLY)
    expect(page.get_by_role("button", name="Try again")).to_be_visible()


def test_camera_that_goes_away_in_between_sends_nothing(
    visitors: Visitors, webcam: Webcam, member: User, ask: Callable[..., None]
):
    ask("left")
    webcam.sit("obama")
    page = visitors.open("/face/login/")
    sent = posts(page, "/face/login/")
    expect(status(page)).to_have_text(LEFT)
    page.evaluate(
        """() => {
            const [track] = document.querySelector("video").srcObject.getTracks();
            track.stop();
            track.dispatchEvent(new Event("ended"));
        }"""
    )
    expect(explanation(page)).to_contain_text("The camera was switched off or disconnected.")
    expect(marks(page)).to_have_count(0)
    assert not sent
    webcam.follow("obama")
    page.get_by_role("button", name="Try again").click()
    expect(page).to_have_url(PROFILE, timeout=PATIENTLY)


def test_lost_connection_goes_on_with_the_same_challenge(
    visitors: Visitors, webcam: Webcam, member: User
):
    page = visitors.open("/face/login/")
    challenges = {""}
    page.on("response", lambda response: challenges.update(named(response)))
    expect(status(page)).to_contain_text("We can’t see a face.")
    page.context.set_offline(True)
    expect(status(page)).to_have_text("The connection was lost. Trying again.")
    page.context.set_offline(False)
    webcam.follow("obama")
    expect(page).to_have_url(PROFILE, timeout=PATIENTLY)
    assert len(challenges - {""}) == 1


def test_page_that_is_left_in_between_goes_on(
    visitors: Visitors, webcam: Webcam, member: User, ask: Callable[..., None]
):
    ask("left")
    webcam.sit("obama")
    page = visitors.open("/face/login/")
    expect(status(page)).to_have_text(LEFT)
    look_elsewhere(page, True)
    frames = posts(page, "/face/frames/")
    page.wait_for_timeout(1000)
    assert len(frames) <= 1
    webcam.follow("obama")
    look_elsewhere(page, False)
    expect(page).to_have_url(PROFILE, timeout=PATIENTLY)


def test_stranger_is_refused_once_and_asked_for_the_username(
    visitors: Visitors, webcam: Webcam, member: User
):
    webcam.follow("biden")
    page = visitors.open("/face/login/", viewport={"width": 390, "height": 844})
    sent = posts(page, "/face/login/")
    expect(explanation(page)).to_have_text(NOT_RECOGNISED_ALONE, timeout=PATIENTLY)
    username = page.get_by_label("Username or email")
    expect(username).to_be_focused()
    expect(username).to_have_accessible_description(re.compile("We didn’t recognise you."))
    expect(page.locator("[data-faceauth-toast]")).to_have_count(0)
    assert page.evaluate("document.querySelector('video').srcObject") is None
    frames = posts(page, "/face/frames/")
    page.wait_for_timeout(2000)
    assert (len(sent), len(frames)) == (1, 0)

    webcam.follow("obama")
    username.fill("ada")
    username.press("Enter")
    expect(page).to_have_url(PROFILE, timeout=PATIENTLY)


def test_locked_person_is_told_before_anybody_moves(
    visitors: Visitors, webcam: Webcam, member: User
):
    webcam.follow("obama")
    page = visitors.open("/face/login/", camera="allowed when asked")
    refusal = {"error": {"code": "too_many_attempts", "message": "Too many attempts."}}
    page.route(
        FRAMES,
        lambda route: route.fulfill(status=429, json=refusal, headers={"Retry-After": "4"}),
        times=1,
    )
    told = told_of(page)
    turn_on(page)
    again = page.get_by_role("button", name="Try again")
    expect(explanation(page)).to_have_text("Too many attempts. Try again in 3 seconds.")
    expect(again).to_be_disabled()
    expect(explanation(page)).to_have_text("You can try again now.")
    assert not told
    again.click()
    expect(page).to_have_url(PROFILE, timeout=PATIENTLY)


def test_page_that_was_open_for_too_long_is_loaded_again(
    visitors: Visitors, webcam: Webcam, member: User
):
    webcam.follow("obama")
    page = asked_for_the_camera(visitors)
    page.context.clear_cookies()
    turn_on(page)
    expect(explanation(page)).to_contain_text("Reload it and try again.")
    page.get_by_role("button", name="Try again").click()
    turn_on(page)
    expect(page).to_have_url(PROFILE, timeout=PATIENTLY)


def test_two_clicks_begin_one_challenge(visitors: Visitors, webcam: Webcam, member: User):
    webcam.follow("obama")
    page = asked_for_the_camera(visitors)
    sent = posts(page, "/face/login/")
    page.get_by_role("button", name="Turn on the camera").dblclick()
    expect(page.get_by_role("button", name="Stop")).to_be_focused()
    expect(page).to_have_url(PROFILE, timeout=PATIENTLY)
    assert len(sent) == 1


def test_password_that_is_typed_stops_the_camera(visitors: Visitors, webcam: Webcam, member: User):
    webcam.sit("obama")
    page = visitors.open("/face/login/")
    expect(page.get_by_role("button", name="Stop")).to_be_visible()
    page.get_by_role("textbox", name="Password").focus()
    start = page.get_by_role("button", name="Turn on the camera")
    expect(start).to_be_visible()
    assert page.evaluate("document.querySelector('video').srcObject") is None
    expect(marks(page)).to_have_count(0)

    webcam.follow("obama")
    start.click()
    expect(page).to_have_url(PROFILE, timeout=PATIENTLY)


def test_camera_stays_off_for_who_corrects_a_password(
    visitors: Visitors, webcam: Webcam, member: User
):
    page = visitors.open("/face/login/")
    log_in_by_password(page, "something else")
    expect(page.get_by_text("Please enter a correct username and password.")).to_be_visible()
    page.wait_for_timeout(1000)
    expect(page.get_by_role("button", name="Turn on the camera")).to_be_visible()


def test_username_that_is_typed_comes_first(visitors: Visitors, webcam: Webcam, member: User):
    webcam.sit("obama")
    page = visitors.open("/face/login/")
    expect(page.get_by_role("button", name="Stop")).to_be_visible()
    page.get_by_text("Enter your username or email as well").click()
    username = page.get_by_label("Username or email")
    username.focus()
    expect(status(page)).to_have_text("Ready. Press “Start”.")
    webcam.follow("obama")
    username.fill("ada")
    page.get_by_role("button", name="Start").click()
    expect(page).to_have_url(PROFILE, timeout=PATIENTLY)


def test_stop_turns_the_camera_off(visitors: Visitors, webcam: Webcam, member: User):
    webcam.sit("obama")
    page = visitors.open("/face/login/")
    page.get_by_role("button", name="Stop").press("Enter")
    expect(page.get_by_role("button", name="Turn on the camera")).to_be_focused()
    assert page.evaluate("document.querySelector('video').srcObject") is None


def test_steps_are_read_out_at_once(
    visitors: Visitors, webcam: Webcam, member: User, ask: Callable[..., None]
):
    ask("left", "closer")
    webcam.follow("obama")
    page = asked_for_the_camera(visitors)
    heard: list[str] = []
    page.expose_function("hear", lambda text: heard.append(text))
    page.evaluate(
        """() => {
            const region = document.querySelector("[data-part=alert]");
            new MutationObserver(() => hear(region.textContent)).observe(region, {childList: true});
        }"""
    )
    turn_on(page)
    expect(page).to_have_url(PROFILE, timeout=PATIENTLY)
    assert [each for each in heard if each] == [LEFT, "Come closer."]


@pytest.mark.parametrize("color_scheme", ["light", "dark"])
def test_moving_is_accessible(
    visitors: Visitors, webcam: Webcam, member: User, ask: Callable[..., None], color_scheme
):
    ask("left", "right")
    webcam.sit("obama")
    page = visitors.open("/face/login/", color_scheme=color_scheme, viewport=PHONE)
    expect(status(page)).to_have_text(LEFT)
    expect(marks(page)).to_have_count(2)
    assert_accessible(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


@pytest.mark.parametrize("size", [(844, 390), (640, 400)], ids=["on its side", "enlarged"])
def test_face_and_words_are_in_view_from_the_start(
    visitors: Visitors, webcam: Webcam, member: User, ask: Callable[..., None], size
):
    ask("left")
    webcam.sit("obama")
    viewport = {"width": size[0], "height": size[1]}
    page = visitors.open("/face/login/", viewport=viewport)
    expect(status(page)).to_have_text(LEFT)
    expect(status(page)).to_be_in_viewport(ratio=1)
    expect(page.locator("video")).to_be_in_viewport(ratio=0.95)


def test_arrow_is_on_the_side_to_turn_to_and_can_keep_still(
    visitors: Visitors, webcam: Webcam, member: User, ask: Callable[..., None]
):
    ask("left_up")
    webcam.sit("obama")
    page = visitors.open("/face/login/", reduced_motion="reduce", viewport=PHONE)
    arrow, video = page.locator(".faceauth-arrow"), page.locator("video")
    expect(arrow).to_be_visible()
    # A head alone, turned by 45 degrees, is taken for a corner: it has a shaft.
    shaft = arrow.locator("path").evaluate("path => path.getBBox().width")
    assert shaft > 0.5 * arrow.evaluate("svg => svg.viewBox.baseVal.width")
    top, frame_top = (each.evaluate("e => e.getBoundingClientRect().y") for each in (arrow, video))
    assert top > frame_top, "the arrow is cut off"
    expect(arrow).to_have_css("animation-name", "none")
    expect(page.locator(".faceauth-arc")).to_have_css("transition-property", "none")
    assert centre(arrow)[0] < centre(video)[0]
    assert centre(arrow)[1] < centre(video)[1]


def test_refused_face_that_the_password_confirms_is_learned(
    visitors: Visitors, webcam: Webcam, member: User, settings
):
    # So strict that nobody is recognised who gives no username.
    strict = {"MAX_FALSE_IDENTIFICATION_RATE": 1e-9, "ADAPT": True}
    settings.FACEAUTH = {**settings.FACEAUTH, **strict}
    webcam.follow("obama")
    page = visitors.open("/face/login/")
    expect(explanation(page)).to_have_text(NOT_RECOGNISED_ALONE, timeout=PATIENTLY)
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


def marks(page: Page):
    return page.locator("[data-part=steps] > li:visible")


def centre(element) -> tuple[float, float]:
    box = element.bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def named(response: Any) -> set[str]:
    """Return the id of the challenge that an answer to frames is about."""
    if not response.url.endswith("/face/frames/") or response.status != 200:
        return set()
    return {response.json()["challenge"]}


def told_of(page: Page) -> list[dict[str, Any]]:
    """Collect what the page is told of the challenge from now on."""
    told: list[dict[str, Any]] = []
    page.expose_function("noteStep", lambda step: told.append(step))
    page.evaluate("addEventListener('faceauth:challenge', ({detail}) => noteStep(detail))")
    return told


def look_elsewhere(page: Page, hidden: bool) -> None:
    """Let the page believe that another tab is shown, or that it is back."""
    page.evaluate(
        """(hidden) => {
            Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
            document.dispatchEvent(new Event("visibilitychange"));
        }""",
        hidden,
    )
