"""docs/passkeys.md with django-otp-webauthn: the passkey first, then the face."""

from __future__ import annotations

import pytest
from django.contrib.auth import BACKEND_SESSION_KEY
from django.contrib.sessions.models import Session
from django_otp_webauthn.models import WebAuthnCredential
from playwright.sync_api import expect

from faceauth.models import FaceEvent
from tests.support.accounts import PASSWORD

LOGIN = "/face/login/"


def log_in_by_password(page, name="obama"):
    page.goto(f"{LOGIN}?next=/passkey/")
    form = page.get_by_role("region", name="With your password")
    form.get_by_label("Username").fill(name)
    form.get_by_label("Password").fill(PASSWORD)
    form.get_by_role("button", name="Log in with password").click()
    expect(page.get_by_role("heading", name="Your passkey")).to_be_visible()


def add_passkey(page):
    page.get_by_role("button", name="Add a passkey").click()
    expect(page.locator("#passkey-register-status-message")).not_to_be_empty()


def log_in_by_passkey(page, target="/"):
    page.context.clear_cookies()
    page.goto(f"{LOGIN}?next={target}")
    page.get_by_role("button", name="Log in with a passkey").click()


@pytest.mark.slow
def test_passkey_logs_in_and_the_face_confirms_the_person(page, webcam, transactional_db, obama):
    log_in_by_password(page)
    add_passkey(page)
    assert WebAuthnCredential.objects.get().user == obama

    log_in_by_passkey(page)
    expect(page.get_by_text("Hello, obama.")).to_be_visible()
    (session,) = [
        each.get_decoded()
        for each in Session.objects.all()
        if BACKEND_SESSION_KEY in each.get_decoded()
    ][-1:]
    assert session[BACKEND_SESSION_KEY].endswith("WebAuthnBackend")

    # The passkey is not the person.
    page.goto("/pay/")
    expect(page.get_by_label("Password")).to_have_count(0)
    webcam.show("obama2")
    expect(page.get_by_text("Paid.")).to_be_visible()
    assert FaceEvent.objects.filter(kind=FaceEvent.Kind.CONFIRMED, user=obama).exists()
