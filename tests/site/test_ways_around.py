"""Ways around trusted devices, codes and limits that were tried, each by somebody with an account.

What a face alone opens is in test_devices.py.
"""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from faceauth import devices
from faceauth.devices import cookie
from faceauth.models import DeviceTrust, FaceDevice, FailureCount
from tests.site.conftest import JSON, PASSWORD, log_out, username_of
from tests.site.test_devices import Key, log_in_by_password
from tests.support.mail import code, sent

pytestmark = pytest.mark.postgres

LOGIN, CONFIRM = "/face/login/", "/face/confirm/"
SIGN_UP, SIGN_UP_CODE = "/accounts/signup/", "/accounts/signup/code/"
NEW_PASSWORD = {"new_password1": "another long one", "new_password2": "another long one"}


@pytest.fixture(autouse=True)
def code_on_unknown_devices(settings):
    settings.FACEAUTH = {**settings.FACEAUTH, "UNKNOWN_DEVICES": "code"}


@pytest.fixture
def biden(enrolled):
    return enrolled("biden", "biden", password=PASSWORD)


@pytest.fixture
def show(upload):
    """Send a face to a page, as its script does, and return the response."""

    def send(client: Client, name: str, page: str = LOGIN, **form: Any) -> Any:
        return client.post(page, {"snapshot": upload(name), **form}, headers=JSON)

    return send


def test_key_of_a_thief_binds_nobody_elses_trust(client, obama, biden, show):
    """The owner would be locked out, and the thief could no longer be noticed."""
    log_in_by_password(client, "obama")
    thief = Client()
    thief.cookies[cookie.name()] = client.cookies[cookie.name()].value
    log_in_by_password(thief, "biden", device_key=Key().public)
    assert not DeviceTrust.objects.get(user=obama).device.has_key
    assert show(client, "obama2").json()["user"]["username"] == "obama"


def test_browser_that_has_made_a_key_by_now_stays_the_same_device(client, obama):
    log_in_by_password(client, "obama")
    log_in_by_password(client, "obama", device_key=Key().public)
    assert FaceDevice.objects.get().has_key


@pytest.mark.parametrize("page", ["/accounts/password-change/", "/admin/password_change/"])
def test_new_password_ends_the_trust_that_a_stranger_got_with_the_old_one(
    client, obama, show, page
):
    User.objects.update(is_staff=True)
    stranger = Client()
    log_in_by_password(stranger, "obama")
    log_in_by_password(client, "obama")
    client.force_login(obama)
    client.post(page, {"old_password": PASSWORD, **NEW_PASSWORD})
    assert show(stranger, "obama2").json()["code_required"]
    log_out(client)
    assert show(client, "obama2").json()["user"]["username"] == "obama"


def test_login_does_not_bring_a_device_back_that_was_just_revoked(client, obama, rf):
    log_in_by_password(client, "obama")
    device, response = FaceDevice.objects.get(), HttpResponse()
    devices.revoke_all(obama)
    devices.log_in(rf.post(LOGIN), response, device, obama)
    assert not FaceDevice.objects.exists()
    assert not response.cookies


def test_login_does_not_undo_the_suspicion_of_a_theft_in_the_meantime(client, obama, rf):
    log_in_by_password(client, "obama", device_key=Key().public)
    device = FaceDevice.objects.get()
    FaceDevice.objects.update(suspected_at=timezone.now())
    devices.log_in(rf.post(LOGIN), HttpResponse(), device, obama)
    assert FaceDevice.objects.get().suspected_at


def test_admin_asks_the_key_of_a_trusted_browser(client, obama, show):
    """Without a challenge, which brings a nonce as well, the page and the errors bring it."""
    User.objects.update(is_staff=True)
    key, page = Key(), "/admin/login/face/"
    log_in_by_password(client, "obama", device_key=key.public)
    nonce = client.get(page).context["device_nonce"]
    refused = show(client, "biden", page, **key.sign(nonce))
    assert refused.status_code == 401
    nonce = refused.json()["error"]["device_nonce"]
    assert show(client, "obama2", page, **key.sign(nonce)).json()["user"]["username"] == "obama"


def test_each_person_of_a_device_is_found_once(client, obama, biden):
    for name in ("obama", "biden"):
        log_in_by_password(Client(), name)
        log_in_by_password(client, name)
    shared = biden.face_devices.order_by("pk").last().device
    assert [user.username for user in devices.people(shared)] == ["biden", "obama"]


def test_code_for_ones_own_address_proves_no_other(client, db):
    """Of two forms sent at the same time, one leaves its code, the other its address."""
    form = {"username": "mallory", "password": ""}
    client.post(SIGN_UP, {**form, "email": "victim@example.com"})
    pending = client.session["signup"]
    client.post(SIGN_UP, {**form, "email": "mallory@example.com"})
    session = client.session
    session["signup"] = pending
    session.save()
    client.post(SIGN_UP_CODE, {"code": code()})
    assert not User.objects.exists()


def test_taken_names_cannot_be_listed(client, obama, biden, settings):
    settings.FACEAUTH = {**settings.FACEAUTH, "ENROLMENTS_PER_HOUR": 3}
    client.post(SIGN_UP, {"username": "obama", "email": "mallory@example.com"})
    client.post(SIGN_UP_CODE, {"code": code()})
    answers = [client.post(SIGN_UP_CODE, {"username": "biden"}).status_code for _ in range(3)]
    assert answers == [400, 400, 429]
    # Nor does it tell which ones are free.
    assert client.post(SIGN_UP_CODE, {"username": "free"}).status_code == 429


def test_code_is_guessed_no_more_than_a_few_times_a_day(obama, show, monkeypatch):
    """A face without a username counts for no account: whose it is must not be told."""
    now = 1_000_000_000.0 // (24 * 3600) * 24 * 3600
    for hour in range(24):
        monkeypatch.setattr("faceauth.http.rate_limit.time.time", lambda now=now + 3600 * hour: now)
        for _ in range(2):
            FailureCount.objects.all().delete()  # from many networks
            assert show(Client(), "obama2").json()["code_required"]
    assert len(sent()) == 20


@pytest.mark.parametrize("column", ["password", "email"])
def test_code_ends_with_the_password_and_the_address(client, obama, show, column):
    """An owner who notices that somebody reads their mail changes one of them."""
    show(client, "obama2", username="obama")
    User.objects.update(**{column: "new@example.com"})
    client.post(LOGIN, {"code": code()})
    assert username_of(client) is None


def test_password_resets_do_not_flood_a_mailbox(obama):
    for email in ["obama@example.com", "OBAMA@example.com"] * 4:
        assert Client().post("/accounts/password-reset/", {"email": email}).status_code == 302
    assert len(sent()) == 5


def test_owner_who_confirms_by_face_ends_no_strangers_wait(client, obama, show):
    """The end of the wait would tell that the account exists and that its owner is there."""
    stranger = Client(REMOTE_ADDR="203.0.113.9")
    while show(stranger, "biden", username="obama").status_code != 429:
        pass
    client.force_login(obama)
    assert show(client, "obama2", CONFIRM).status_code == 200
    assert show(stranger, "biden", username="obama").status_code == 429


@pytest.mark.parametrize("page", ["/accounts/password-change/", "/admin/password_change/"])
def test_old_password_is_guessed_no_more_often_than_at_the_login_page(client, db, settings, page):
    settings.FACEAUTH = {**settings.FACEAUTH, "PASSWORDS_PER_HOUR": 3}
    ada = User.objects.create_superuser("ada", "ada@example.com", PASSWORD)
    client.force_login(ada)
    for _ in range(3):
        client.post(page, {"old_password": "wrong", **NEW_PASSWORD})
    answer = client.post(page, {"old_password": PASSWORD, **NEW_PASSWORD})
    assert "Too many attempts. Try again in" in answer.text
    ada.refresh_from_db()
    assert ada.check_password(PASSWORD)
    client = Client(REMOTE_ADDR="203.0.113.9")
    client.force_login(ada)
    client.post(page, {"old_password": PASSWORD, **NEW_PASSWORD})
    ada.refresh_from_db()
    assert not ada.check_password(PASSWORD)


def test_no_form_is_accepted_from_another_site(obama):
    log_in_by_password(Client(), "obama")
    pk = DeviceTrust.objects.get().pk
    client = Client(enforce_csrf_checks=True)
    client.force_login(obama)
    names = "login trust_device frames confirm verify enrol notice remove"
    pages = [reverse(f"faceauth:{name}") for name in names.split()]
    pages += [reverse(f"faceauth:{name}") for name in ("remove_by_email", "cancel_removal")]
    pages += [reverse(f"faceauth:{name}", args=[pk]) for name in ("rename_device", "revoke_device")]
    links = ("revoke_by_mail", "plan_removal", "cancel_by_mail")
    pages += [reverse(f"faceauth:{name}", args=["x"]) for name in links]
    own = "signup signup_code logout log_out_everywhere delete password_change password_reset"
    pages += [reverse(f"accounts:{name}") for name in own.split()]
    pages += ["/admin/login/", "/admin/login/face/", "/admin/password_change/"]
    assert [page for page in pages if client.post(page).status_code != 403] == []


def test_pages_about_a_face_are_not_cached(client, obama):
    User.objects.update(face_removal_at=timezone.now() + timedelta(hours=1))
    client.force_login(obama)
    session = client.session
    session["faceauth_seen"] = {
        "user": str(obama.pk),
        "face": time.time(),
        "generation": obama.face_generation,
    }
    session.save()
    names = "login confirm enrol notice export remove remove_by_email cancel_removal devices"
    pages = [reverse(f"faceauth:{name}") for name in names.split()]
    links = ("revoke_by_mail", "plan_removal", "cancel_by_mail")
    pages += [reverse(f"faceauth:{name}", args=["x"]) for name in links]
    pages += ["/accounts/profile/", "/accounts/password-change/", "/accounts/password-reset/"]
    for page in pages:
        assert "no-store" in client.get(page)["Cache-Control"], page
