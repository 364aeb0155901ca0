"""A template that learns: the face that was refused, once the password has said whose it is."""

from __future__ import annotations

import re
from typing import Any

from django.conf import settings
from django.test import override_settings
from playwright.sync_api import expect

from accounts.models import User
from tests.support.browsing import NOT_RECOGNISED_ALONE, PASSWORD, Visitors
from tests.support.webcam import Webcam

# So strict that nobody is recognised who gives no username.
STRICT = {**settings.FACEAUTH, "MAX_FALSE_IDENTIFICATION_RATE": 1e-9}


def log_in_by_password_after_a_refusal(visitors: Visitors, webcam: Webcam) -> None:
    webcam.show("obama")
    page = visitors.open("/face/login/")
    expect(page.get_by_text(NOT_RECOGNISED_ALONE).first).to_be_visible()
    form = page.get_by_role("region", name="With your password instead")
    form.get_by_label("Username").fill("ada")
    form.get_by_label("Password").fill(PASSWORD)
    form.get_by_role("button", name="Log in with password").click()
    expect(page).to_have_url(re.compile("/accounts/profile/$"))


@override_settings(FACEAUTH={**STRICT, "ADAPT": True})
def test_face_that_the_password_confirmed_is_learned(
    visitors: Visitors, webcam: Webcam, member: User
):
    log_in_by_password_after_a_refusal(visitors, webcam)
    learned: Any = User.objects.get()
    before: Any = member.face_encodings
    assert learned.face_adapted_at
    changed = abs(learned.face_encodings - before).max(axis=1) > 1e-4
    assert changed.tolist() == [False, True]


@override_settings(FACEAUTH=STRICT)
def test_no_face_goes_with_the_password_where_nothing_is_learned(
    visitors: Visitors, webcam: Webcam, member: User
):
    log_in_by_password_after_a_refusal(visitors, webcam)
    assert User.objects.get().face_adapted_at is None
