"""docs/passkeys.md with django-otp-webauthn: the passkey first, then the face."""

from __future__ import annotations

import pytest
from django_otp_webauthn.models import WebAuthnCredential
from playwright.sync_api import expect

from faceauth.models import FaceEvent
from tests.support import passkeys
from tests.support.accounts import PASSWORD

LOGIN = "/face/login/"


def log_in_by_password(page, name="obama"):
    page.goto(f"{LOGIN}?next=/passkey/")
    form = page.get_by_role("region", name="With your password")
    form.get_by_label("Username").fill(name)
    form.get_by_label("Password").fill(PASSWORD)
    form.get_by_label("Trust this browser").uncheck()
    form.get_by_role("button", name="Log in with password").click()
    expect(page.get_by_role("heading", name="Your passkey")).to_be_visible()


def add_passkey(page):
    page.get_by_role("button", name="Add a passkey").click()
    expect(page.locator("#passkey-register-status-message")).not_to_be_empty()


def log_in_by_passkey(page, target="/"):
    passkeys.log_out(page)
    page.goto(f"{LOGIN}?next={target}")
    page.get_by_role("button", name="Log in with a passkey").click()


@pytest.mark.slow
def test_passkey_logs_in_and_the_face_confirms_the_person(page, webcam, transactional_db, obama):
    log_in_by_password(page)
    add_passkey(page)
    assert WebAuthnCredential.objects.get().user == obama

    log_in_by_passkey(page)
    expect(page.get_by_text("Hello, obama.")).to_be_visible()

    # The passkey is not the person.
    page.goto("/pay/")
    expect(page.get_by_label("Password")).to_have_count(0)
    webcam.show("obama2")
    expect(page.get_by_text("Paid.")).to_be_visible()
    assert FaceEvent.objects.filter(kind=FaceEvent.Kind.CONFIRMED, user=obama).exists()


@pytest.mark.slow
def test_browser_trusted_after_a_passkey_needs_only_the_face(page, webcam, transactional_db, obama):
    log_in_by_password(page)
    add_passkey(page)
    passkeys.log_out(page)
    passkeys.log_in_by_face(page, webcam, "obama2")
    expect(page.get_by_text("Hello, obama.")).to_have_count(0)

    log_in_by_passkey(page)
    expect(page.get_by_text("Hello, obama.")).to_be_visible()
    passkeys.trust_browser(page)
    passkeys.log_out(page)
    passkeys.log_in_by_face(page, webcam, "obama2")
    expect(page.get_by_text("Hello, obama.")).to_be_visible()
    assert FaceEvent.objects.filter(kind=FaceEvent.Kind.LOGIN, mode=FaceEvent.Mode.DEVICE).exists()
