"""docs/passkeys.md with django-allauth: the passkey first, then the face."""

from __future__ import annotations

import pytest
from allauth.mfa.models import Authenticator
from playwright.sync_api import expect

from faceauth.models import FaceEvent
from tests.support import passkeys
from tests.support.accounts import PASSWORD


@pytest.fixture
def obama(transactional_db, obama):
    """Obama, whose address is confirmed."""
    obama.emailaddress_set.create(email=obama.email, verified=True, primary=True)
    return obama


def add_passkey(page):
    """Log in by password, and add a passkey."""
    page.goto("/accounts/login/?next=/accounts/2fa/webauthn/add/")
    page.get_by_label("Username").or_(page.get_by_placeholder("Username")).fill("obama")
    page.get_by_label("Password").or_(page.get_by_placeholder("Password")).fill(PASSWORD)
    page.get_by_role("button", name="Sign In", exact=True).click()
    # allauth asks again before it changes what an account is protected by.
    page.get_by_label("Password").or_(page.get_by_placeholder("Password")).fill(PASSWORD)
    page.get_by_role("button", name="Confirm").click()
    page.get_by_label("Passwordless").check()
    page.get_by_role("button", name="Add").click()
    expect(page.get_by_role("heading", name="Recovery Codes")).to_be_visible()
    passkeys.log_out(page)


def log_in_by_passkey(page):
    page.goto("/accounts/login/")
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page.get_by_text("Hello, obama.")).to_be_visible()


@pytest.mark.slow
def test_passkey_logs_in_and_the_face_confirms_the_person(page, webcam, obama):
    add_passkey(page)
    assert Authenticator.objects.filter(user=obama, type=Authenticator.Type.WEBAUTHN).exists()
    log_in_by_passkey(page)

    # The passkey is not the person.
    page.goto("/pay/")
    expect(page.get_by_label("Password")).to_have_count(0)
    webcam.show("obama2")
    expect(page.get_by_text("Paid.")).to_be_visible()
    assert FaceEvent.objects.filter(kind=FaceEvent.Kind.CONFIRMED, user=obama).exists()


@pytest.mark.slow
def test_browser_trusted_after_a_passkey_needs_only_the_face(page, webcam, obama):
    add_passkey(page)
    log_in_by_passkey(page)
    passkeys.trust_browser(page)
    passkeys.log_out(page)
    passkeys.log_in_by_face(page, webcam, "obama2")
    expect(page.get_by_text("Hello, obama.")).to_be_visible()
    assert FaceEvent.objects.filter(kind=FaceEvent.Kind.LOGIN, mode=FaceEvent.Mode.DEVICE).exists()


@pytest.mark.slow
def test_elsewhere_allauth_asks_for_the_passkey_after_the_face(page, webcam, obama, settings):
    settings.FACEAUTH = {**settings.FACEAUTH, "UNKNOWN_DEVICES": "allow"}
    add_passkey(page)
    passkeys.log_in_by_face(page, webcam, "obama2")
    expect(page.get_by_role("heading", name="Two-Factor Authentication")).to_be_visible()
