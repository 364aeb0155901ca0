"""Showing again that it is you, before something that matters."""

from __future__ import annotations

import re

import pytest
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from playwright.sync_api import Page, expect

from accounts.models import User
from tests.support.accessibility import assert_accessible
from tests.support.browsing import PASSWORD, PATIENTLY, Visitors
from tests.support.webcam import Webcam

CONFIRM = re.compile("/face/confirm/")
REMOVE = re.compile("/face/remove/$")
DELETE = re.compile("/accounts/delete/$")
PHONE = {"width": 320, "height": 568}


@pytest.fixture(autouse=True)
def challenged(settings) -> None:
    settings.FACEAUTH = {**settings.FACEAUTH, "CHALLENGE": "full"}


def later(page: Page, then: str = "/face/remove/") -> None:
    """Let what the sessions have seen be long ago, then ask to remove the face, or for a page."""
    for session in Session.objects.all():
        store = SessionStore(session.session_key)
        del store["faceauth_seen"]
        store.save()
    page.goto(then)
    expect(page).to_have_url(CONFIRM)


@pytest.mark.smoke
def test_person_who_moves_opens_the_page_that_was_asked_for(
    visitors: Visitors, webcam: Webcam, member: User
):
    page = visitors.open(user=member)
    webcam.follow("obama")
    later(page)
    expect(page).to_have_url(REMOVE, timeout=PATIENTLY)
    expect(page.get_by_text("Thank you. You have confirmed that it’s you.")).to_be_visible()
    expect(page.get_by_role("button", name="Remove my face")).to_be_visible()


def test_somebody_else_is_refused_in_words(visitors: Visitors, webcam: Webcam, member: User):
    page = visitors.open(user=member)
    webcam.follow("biden")
    later(page)
    refused = page.get_by_text("We didn’t recognise you. Look straight into the camera").first
    expect(refused).to_be_visible(timeout=PATIENTLY)
    expect(page).to_have_url(CONFIRM)


def test_password_where_there_is_no_camera(visitors: Visitors, member: User):
    page = visitors.open(user=member, camera="missing")
    later(page, "/accounts/delete/")
    expect(page.get_by_text("Or use your password.").first).to_be_visible()
    page.get_by_label("Password", exact=True).fill("something else")
    page.get_by_role("button", name="Confirm with password").click()
    expect(page.get_by_text("This password is not correct. Try again.")).to_be_visible()
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Confirm with password").click()
    expect(page).to_have_url(DELETE)


def test_pictures_that_come_too_late_lead_to_the_page(
    visitors: Visitors, webcam: Webcam, member: User
):
    page = visitors.open("/accounts/delete/", user=member, camera="refused")
    session = Session.objects.get()
    store = SessionStore(session.session_key)
    del store["faceauth_seen"]
    store.save()
    page.get_by_role("button", name="Delete my account").click()
    expect(page).to_have_url(CONFIRM)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Confirm with password").click()
    expect(page).to_have_url(DELETE)
    assert User.objects.exists()


@pytest.mark.parametrize("color_scheme", ["light", "dark"])
@pytest.mark.parametrize("viewport", [{"width": 1280, "height": 800}, PHONE], ids=["wide", "phone"])
@pytest.mark.parametrize("query", ["", "?only=face"], ids=["either", "face"])
def test_page_is_accessible(visitors: Visitors, member: User, color_scheme, viewport, query):
    page = visitors.open(
        f"/face/confirm/{query}", user=member, color_scheme=color_scheme, viewport=viewport
    )
    expect(page.locator("video")).to_be_visible()
    assert_accessible(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]
    expect(page.get_by_label("Password", exact=True)).to_have_count(0 if query else 1)
