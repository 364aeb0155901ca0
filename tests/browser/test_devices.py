"""Trusted devices in a real browser: how they come about, logins on them and elsewhere, theft."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.core import mail
from playwright.sync_api import BrowserContext, Page, expect

from accounts.models import User
from faceauth.audit import outbox
from faceauth.capture import samples
from faceauth.devices import cookie
from faceauth.gallery import gallery
from faceauth.liveness import steps
from faceauth.models import DeviceTrust, FaceDevice, FaceEvent
from tests.browser.test_pages import tab_to
from tests.support.accessibility import assert_accessible
from tests.support.browsing import PASSWORD, PATIENTLY, Visitors, photo
from tests.support.people import enrol_silently
from tests.support.webcam import Webcam, snapshot

PROFILE = re.compile("/accounts/profile/$")
PHONE = {"width": 320, "height": 568}
TRUST = "Trust this browser: next time your face is enough here"
NEW = "This browser is new to us. We check your face and then email you a code."
KNOWN = "You trust this browser: your face and one movement of your head are enough."


@pytest.fixture(autouse=True)
def code_is_asked_for(settings) -> None:
    """On unknown devices, as by default."""
    settings.FACEAUTH = {**settings.FACEAUTH, "UNKNOWN_DEVICES": "code"}


@pytest.fixture
def biden(transactional_db) -> User:
    """Bob, with biden's face and a password."""
    user = User.objects.create_user("bob", "bob@example.com", PASSWORD)
    enrol_silently(user, samples.encodings([snapshot("biden"), snapshot("biden smile")]))
    gallery.cache_clear()
    return user


@pytest.mark.smoke
def test_device_that_is_trusted_after_the_password_needs_the_face_alone(
    visitors: Visitors, webcam: Webcam, member: User
):
    page = visitors.open("/face/login/", camera="allowed when asked")
    expect(page.get_by_text(NEW)).to_be_visible()
    expect(page.get_by_label(TRUST)).to_be_checked()
    log_in_by_password(page)
    expect(page.get_by_text("This browser", exact=True)).to_be_visible()
    assert FaceDevice.objects.get().has_key
    page.get_by_role("button", name="Log out").click()

    webcam.show("obama")
    page.goto("/face/login/?next=/members/")
    expect(page.get_by_text(KNOWN)).to_be_visible()
    expect(page.get_by_label("Username or email")).to_be_hidden()
    assert_accessible(page)
    page.get_by_role("button", name="Turn on the camera").click()
    expect(page).to_have_url(re.compile(r"^[^?]+/members/$"))
    (event,) = FaceEvent.objects.filter(kind="login")
    assert (event.user, event.mode) == (member, FaceEvent.Mode.DEVICE)


def test_box_that_is_not_ticked_leaves_nothing_in_the_browser(visitors: Visitors, member: User):
    page = visitors.open("/face/login/", camera="missing")
    page.get_by_label(TRUST).uncheck()
    log_in_by_password(page)
    assert not FaceDevice.objects.exists()
    assert page.evaluate("indexedDB.databases()") == []
    page.get_by_role("button", name="Log out").click()
    page.goto("/face/login/")
    expect(page.get_by_text(NEW)).to_be_visible()


def test_second_browser_is_let_in_with_the_mailed_code(
    visitors: Visitors, webcam: Webcam, member: User
):
    webcam.show("obama")
    page = visitors.open("/face/login/?next=/members/", camera="allowed when asked", viewport=PHONE)
    page.get_by_role("button", name="Turn on the camera").click()
    code = page.get_by_label("Code")
    expect(code).to_be_focused()
    expect(page.get_by_role("heading", name="Check your email")).to_be_visible()
    assert_accessible(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]

    code.fill("000000" if mailed_code() != "000000" else "111111")
    page.get_by_role("button", name="Log in").click()
    expect(code).to_have_attribute("aria-invalid", "true")
    expect(code).to_be_focused()
    expect(page.get_by_label(TRUST)).to_be_checked()
    assert_accessible(page)

    # As it is pasted from an email.
    code.fill(f" {mailed_code()[:3]} {mailed_code()[3:]} ")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"^[^?]+/members/$"))
    assert DeviceTrust.objects.get().by == DeviceTrust.By.CODE
    assert FaceDevice.objects.get().has_key

    page.get_by_role("button", name="Log out").click()
    page.goto("/face/login/")
    page.get_by_role("button", name="Turn on the camera").click()
    expect(page).to_have_url(PROFILE)


def test_stranger_gets_the_same_page_and_no_code(visitors: Visitors, webcam: Webcam, member: User):
    webcam.show("biden")
    page = visitors.open("/face/login/", camera="allowed when asked")
    page.get_by_role("button", name="Turn on the camera").click()
    expect(page.get_by_role("heading", name="Check your email")).to_be_visible()
    outbox.flush(10)
    assert mail.outbox == []
    page.get_by_label("Code").fill("123456")
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_label("Code")).to_have_attribute("aria-invalid", "true")

    page.get_by_role("link", name="log in with your password").click()
    log_in_by_password(page)


def test_removed_device_needs_a_code_again(visitors: Visitors, webcam: Webcam, member: User):
    page = trusted(visitors)
    mine = page.context
    page.get_by_text("Rename").click()
    page.get_by_label("Name of the device").fill("Kitchen")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("The device is now called “Kitchen”.")).to_be_visible()
    page.get_by_role("button", name="Remove Kitchen").click()
    expect(page.get_by_text("You trust no browser yet.")).to_be_visible()
    assert_accessible(page)
    page.get_by_role("button", name="Log out").click()
    face_leads_to_the_code(mine, webcam)


def test_link_in_the_mail_removes_the_device_without_a_login(
    visitors: Visitors, webcam: Webcam, member: User
):
    mine = trusted(visitors).context
    outbox.flush(10)
    (told,) = (each for each in mail.outbox if "/face/devices/revoke/" in each.body)
    link = re.search(r"https?://[^/]+(/face/devices/revoke/\S+)", str(told.body))
    assert link
    page = visitors.open(link[1], viewport=PHONE)
    assert_accessible(page)
    page.get_by_role("button", name="Remove the device").click()
    expect(page.get_by_text("The device is no longer trusted.")).to_be_visible()
    page.goto(link[1])
    expect(page.get_by_role("heading", name="This device is not trusted")).to_be_visible()
    assert_accessible(page)
    assert not FaceDevice.objects.exists()
    mine.clear_cookies(name="sessionid")
    face_leads_to_the_code(mine, webcam)


def test_copied_cookie_is_refused_without_the_key_and_noticed(
    visitors: Visitors, webcam: Webcam, member: User
):
    mine = trusted(visitors).context
    mine.clear_cookies(name="sessionid")
    theft = visitors.open("/face/notice/", camera="allowed when asked").context
    stolen = [each for each in mine.cookies() if each["name"] == cookie.name()]
    assert stolen
    theft.add_cookies(stolen)  # type: ignore[arg-type]
    face_leads_to_the_code(theft, webcam)
    outbox.flush(10)
    mail.outbox.clear()

    page = mine.new_page()
    page.goto("/face/login/")
    page.get_by_role("button", name="Turn on the camera").click()
    expect(page).to_have_url(PROFILE)
    expect(page.get_by_text("Copy of a device’s cookie used")).to_be_visible()
    outbox.flush(10)
    assert [each.to for each in mail.outbox] == [["ada@example.com"]]


def test_family_shares_a_computer(visitors: Visitors, webcam: Webcam, member: User, biden: User):
    page = trusted(visitors)
    mine = page.context
    page.get_by_role("button", name="Log out").click()
    # Somebody else is not among the people of this device yet.
    webcam.show("biden")
    page.goto("/face/login/")
    page.get_by_text("Somebody else? Enter your username or email").click()
    page.get_by_label("Username or email").fill("bob@example.com")
    page.get_by_role("button", name="Turn on the camera").click()
    expect(page.get_by_role("heading", name="Check your email")).to_be_visible()
    page.get_by_label("Code").fill(mailed_code())
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_text("Welcome back, bob.")).to_be_visible()
    page.get_by_role("button", name="Log out").click()
    assert FaceDevice.objects.count() == 1

    for name, owner in (("obama", "ada"), ("biden", "bob")):
        webcam.show(name)
        page = mine.new_page()
        page.goto("/face/login/")
        page.get_by_role("button", name="Turn on the camera").click()
        expect(page.get_by_text(f"Welcome back, {owner}.")).to_be_visible()
        page.get_by_role("button", name="Log out").click()


def test_trusted_browser_asks_for_one_movement_and_signs_the_challenges_nonce(
    visitors: Visitors, webcam: Webcam, member: User, settings, monkeypatch
):
    settings.FACEAUTH = {**settings.FACEAUTH, "CHALLENGE": "auto"}
    drawn: list[str] = []

    def draw(kind: str) -> list[str]:
        drawn.append(kind)
        return ["left"]

    monkeypatch.setattr(steps, "draw", draw)
    page = trusted(visitors)
    page.get_by_role("button", name="Log out").click()
    webcam.follow("obama")
    page.goto("/face/login/")
    page.get_by_role("button", name="Turn on the camera").click()
    expect(page).to_have_url(PROFILE, timeout=PATIENTLY)
    assert drawn == ["short"]
    assert FaceEvent.objects.filter(kind="login", mode=FaceEvent.Mode.DEVICE).exists()


def test_site_that_refuses_unknown_devices_asks_for_the_password_first(
    visitors: Visitors, webcam: Webcam, member: User, settings
):
    settings.FACEAUTH = {**settings.FACEAUTH, "UNKNOWN_DEVICES": "refuse"}
    page = visitors.open("/face/login/", camera="allowed when asked", viewport=PHONE)
    expect(page.get_by_text("Log in with your password and trust it")).to_be_visible()
    expect(page.get_by_role("button", name="Turn on the camera")).to_have_count(0)
    expect(page.get_by_label("Username")).to_be_focused()
    assert_accessible(page)
    log_in_by_password(page)
    page.get_by_role("button", name="Log out").click()

    webcam.show("obama")
    page.goto("/face/login/")
    page.get_by_role("button", name="Turn on the camera").click()
    expect(page).to_have_url(PROFILE)


def test_site_that_allows_unknown_devices_needs_the_face_alone(
    visitors: Visitors, webcam: Webcam, member: User, settings
):
    settings.FACEAUTH = {**settings.FACEAUTH, "UNKNOWN_DEVICES": "allow"}
    webcam.show("obama")
    page = visitors.open("/face/login/", camera="allowed when asked")
    expect(page.get_by_text(NEW)).to_have_count(0)
    page.get_by_role("button", name="Turn on the camera").click()
    expect(page).to_have_url(PROFILE)
    # A face alone makes no device a trusted one.
    page.get_by_role("button", name="Trust this browser").click()
    page.locator("#id_password").fill(PASSWORD)
    page.get_by_role("button", name="Confirm with password").click()
    page.get_by_role("button", name="Trust this browser").click()
    expect(page.get_by_text("This browser", exact=True)).to_be_visible()
    assert FaceDevice.objects.get().has_key


def test_without_javascript_the_cookie_alone_counts(visitors: Visitors, member: User):
    page = visitors.open("/face/login/", java_script_enabled=False)
    log_in_by_password(page)
    expect(page.get_by_text("This browser could store no key.")).to_be_visible()
    page.get_by_role("button", name="Log out").click()

    page.goto("/face/login/")
    expect(page.get_by_text(KNOWN)).to_be_visible()
    page.get_by_label("Choose a photo of your face").set_input_files(photo("obama"))
    page.get_by_role("button", name="Log in with this picture").click()
    expect(page).to_have_url(PROFILE)


def test_without_javascript_a_code_is_entered_too(visitors: Visitors, member: User):
    page = visitors.open("/face/login/", java_script_enabled=False)
    page.get_by_label("Choose a photo of your face").set_input_files(photo("obama"))
    page.get_by_role("button", name="Log in with this picture").click()
    page.get_by_label("Code").fill(mailed_code())
    page.get_by_label(TRUST).uncheck()
    page.get_by_role("button", name="Log in").click()
    expect(page).to_have_url(PROFILE)
    assert not FaceDevice.objects.exists()


def test_names_and_removes_a_device_with_the_keyboard_alone(visitors: Visitors, member: User):
    page = trusted(visitors)
    tab_to(page, "Rename")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.type("Kitchen")
    page.keyboard.press("Enter")
    expect(page.get_by_text("The device is now called “Kitchen”.")).to_be_visible()
    tab_to(page, "Remove")
    page.keyboard.press("Enter")
    expect(page.get_by_text("You trust no browser yet.")).to_be_visible()
    tab_to(page, "Trust this browser")
    page.keyboard.press("Enter")
    expect(page.get_by_text("This browser", exact=True)).to_be_visible()


@pytest.mark.parametrize("color_scheme", ["light", "dark"])
def test_pages_of_devices_are_accessible(visitors: Visitors, member: User, color_scheme):
    page = visitors.open(
        "/face/login/", color_scheme=color_scheme, camera="missing", locale="es-ES", viewport=PHONE
    )
    page.locator("#id_username").fill("ada")
    page.locator("#id_password").fill(PASSWORD)
    page.get_by_role("button", name="Iniciar sesión con contraseña").click()
    expect(page).to_have_url(PROFILE)
    for path in ("/accounts/profile/", "/face/devices/"):
        page.goto(path)
        expect(page.get_by_text("Este navegador", exact=True)).to_be_visible()
        page.get_by_text("Cambiar el nombre").click()
        assert_accessible(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def log_in_by_password(page: Page) -> None:
    """Fill in the login page's password form, and wait for the profile."""
    form = page.get_by_role("region", name="With your password")
    form.get_by_label("Username").fill("ada")
    form.get_by_label("Password").fill(PASSWORD)
    form.get_by_role("button", name="Log in with password").click()
    expect(page).to_have_url(PROFILE)


def trusted(visitors: Visitors) -> Page:
    """Return the page that a browser shows in which ada has logged in and which she trusts."""
    page = visitors.open("/face/login/", camera="allowed when asked")
    log_in_by_password(page)
    page.goto("/face/devices/")
    expect(page.get_by_text("This browser", exact=True)).to_be_visible()
    return page


def face_leads_to_the_code(context: BrowserContext, webcam: Webcam) -> None:
    """Show ada's face to a browser that is not trusted."""
    webcam.show("obama")
    page: Any = context.new_page()
    page.goto("/face/login/")
    page.get_by_role("button", name="Turn on the camera").click()
    expect(page.get_by_role("heading", name="Check your email")).to_be_visible()
    page.goto("/members/")
    expect(page).to_have_url(re.compile("/face/login/"))


def mailed_code() -> str:
    """Return the code in the last email that has one."""
    outbox.flush(10)
    codes = [re.search(r"\b\d{6}\b", str(each.body)) for each in mail.outbox]
    return next(found[0] for found in reversed(codes) if found)
