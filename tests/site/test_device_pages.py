"""The pages of trusted devices: the list, its changes, and what staff see and do."""

from __future__ import annotations

import re
from base64 import b64encode
from urllib.parse import parse_qs, urlsplit

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.test import Client
from django.urls import reverse

from faceauth import devices
from faceauth.admin.staff import disable
from faceauth.devices import links
from faceauth.models import DeviceTrust, FaceDevice, FaceEvent
from tests.support.accounts import PASSWORD
from tests.support.admin import SEES_USERS, logged, member, staff

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
DEVICES = "/face/devices/"


def key() -> str:
    """Return a new public key, as a browser sends it."""
    made = ec.generate_private_key(ec.SECP256R1()).public_key()
    return b64encode(made.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()


def logged_in(name: str, **fields: str) -> Client:
    """Log in by password, in a new browser, with these further fields of the form."""
    browser = Client(headers={"user-agent": FIREFOX})
    form = {"username": name, "password": PASSWORD, **fields}
    assert browser.post("/face/login/", form).status_code == 302
    return browser


@pytest.fixture
def ada(db):
    return member("ada", 1)


@pytest.fixture
def browser(ada) -> Client:
    """Ada's browser, which she trusts and which has a key."""
    return logged_in("ada", trust="on", device_key=key())


def test_ticked_box_trusts_the_browser_and_another_does_not(ada):
    page = logged_in("ada").get(DEVICES)
    assert "You trust no browser yet." in page.text
    assert not FaceDevice.objects.exists()

    browser = logged_in("ada", trust="on")
    page = browser.get(DEVICES)
    assert "Firefox, Linux" in page.text
    assert "This browser</span>" in page.text


def test_list_shows_which_devices_have_no_key(browser, ada):
    hint = "This browser could store no key."
    assert hint not in browser.get(DEVICES).text
    logged_in("ada", trust="on")
    assert browser.get(DEVICES).text.count(hint) == 1
    logged_in("ada", trust="on", device_key="nonsense")
    assert browser.get(DEVICES).text.count(hint) == 2


def test_list_has_nobody_elses_devices_and_no_unused_ones(browser, ada, settings):
    member("eve", 2)
    logged_in("eve", trust="on")
    assert browser.get(DEVICES).text.count('name="name"') == 1
    long_ago = FaceDevice.objects.get(trusts__user=ada)
    long_ago.last_used_at = long_ago.last_used_at.replace(year=2020)
    long_ago.save()
    assert "You trust no browser yet." in browser.get(DEVICES).text


def test_devices_of_one_name_are_told_apart(browser, ada):
    def names():
        return re.findall("<b>(.*?)</b>", browser.get(DEVICES).text)

    logged_in("ada", trust="on")
    logged_in("ada", trust="on")
    # The one of this browser, which is the oldest, comes first.
    assert names() == ["Firefox, Linux", "Firefox, Linux (3)", "Firefox, Linux (2)"]
    oldest = ada.face_devices.order_by("pk")[0]
    browser.post(reverse("faceauth:rename_device", args=[oldest.pk]), {"name": "Kitchen"})
    assert names() == ["Kitchen", "Firefox, Linux (2)", "Firefox, Linux"]


def test_device_is_renamed_and_gets_its_own_name_back(browser, ada):
    trust = ada.face_devices.get()
    url = reverse("faceauth:rename_device", args=[trust.pk])
    page = browser.post(url, {"name": "  Kitchen <3  "}, follow=True)
    assert "<b>Kitchen &lt;3</b>" in page.text
    page = browser.post(url, {"name": ""}, follow=True)
    assert "<b>Firefox, Linux</b>" in page.text


def test_removed_device_is_gone(browser, ada):
    trust = ada.face_devices.get()
    page = browser.post(reverse("faceauth:revoke_device", args=[trust.pk]), follow=True)
    assert "You trust no browser yet." in page.text
    assert not FaceDevice.objects.exists()
    # In the same session, which began with the password, it is trusted again with one button.
    assert "you enter your password first" not in page.text
    page = browser.post("/face/devices/trust/", {"device_key": key()}, follow=True)
    assert "This browser</span>" in page.text


@pytest.mark.parametrize("action", ["rename", "revoke"])
def test_devices_of_others_cannot_be_changed(browser, ada, action):
    member("eve", 2)
    url = reverse(f"faceauth:{action}_device", args=[ada.face_devices.get().pk])
    eve = logged_in("eve")
    assert eve.post(url, {"name": "mine"}).status_code == 404
    assert eve.get(url).status_code == 405
    assert ada.face_devices.get().name == ""


def test_session_that_saw_no_password_is_asked_for_it(client, ada):
    client.force_login(ada, backend="faceauth.backends.FaceBackend")
    assert "you enter your password first" in client.get(DEVICES).text
    response = client.post("/face/devices/trust/")
    assert response.status_code == 302
    where = urlsplit(response["Location"])
    assert where.path == "/face/confirm/"
    assert parse_qs(where.query)["next"] == [DEVICES]
    assert not FaceDevice.objects.exists()


def test_user_without_a_password_is_led_to_the_code(client, ada, settings):
    ada.set_unusable_password()
    ada.save()
    client.force_login(ada, backend="faceauth.backends.FaceBackend")
    settings.FACEAUTH = {**settings.FACEAUTH, "UNKNOWN_DEVICES": "code"}
    page = client.get(DEVICES).text
    assert "log in again with a code by email" in page
    assert "Trust this browser" not in page


def test_link_from_the_mail_revokes_without_a_login(ada, rf):
    logged_in("ada", trust="on")
    link = links.build(rf.get("/"), ada.face_devices.get())
    stranger = Client()
    page = stranger.get(link)
    assert "Firefox, Linux" in page.text
    assert DeviceTrust.objects.exists()
    page = stranger.post(link, follow=True)
    assert "The device is no longer trusted." in page.text
    assert not DeviceTrust.objects.exists()
    assert "It was removed already" in stranger.get(link).text
    assert "It was removed already" in stranger.get("/face/devices/revoke/x/").text


def test_profile_shows_devices_and_where_the_face_was_used(browser, ada):
    page = browser.get("/accounts/profile/")
    assert "Your devices" in page.text
    event = FaceEvent.objects.get(kind=FaceEvent.Kind.DEVICE_TRUSTED)
    assert event.device == "Firefox, Linux"
    assert f"<span>{event.device}</span>" in page.text
    assert event.address in page.text


def test_profile_shows_with_what_browser_a_stranger_tried(browser, ada, upload):
    stranger = Client(headers={"user-agent": FIREFOX.replace("X11; Linux", "Windows NT 10.0")})
    fields = {"username": "ada", "snapshot": upload("obama2")}
    assert stranger.post("/face/login/", fields).status_code == 401
    page = " ".join(browser.get("/accounts/profile/").text.split())
    assert re.search(r"<b>Refused</b>.{,200}<span>Firefox, Windows</span>", page)


def test_profile_says_that_staff_turned_off_face_login(browser, ada):
    told = "The staff turned off face login for your account."
    assert told not in browser.get("/accounts/profile/").text
    disable(None, ada)
    assert told in browser.get("/accounts/profile/").text


def test_staff_see_the_devices_of_a_user_and_revoke_them(browser, client, ada):
    page = reverse("admin:accounts_user_change", args=[ada.pk])
    revoke = reverse("admin:accounts_user_face_revoke", args=[ada.pk, ada.face_devices.get().pk])
    client.force_login(staff("reader", *SEES_USERS))
    shown = client.get(page).text
    assert "Firefox, Linux" in shown
    assert revoke not in shown
    assert client.post(revoke).status_code == 403

    boss = staff("boss", *SEES_USERS, "change_user", "remove_face")
    client.force_login(boss)
    assert revoke in client.get(page).text
    assert client.get(revoke).status_code == 405
    assert "The device is no longer trusted." in client.post(revoke, follow=True).text
    assert devices.people(FaceDevice(pk=1)) == []
    assert not FaceDevice.objects.exists()
    assert logged() == [("boss", "ada", "Trusted device revoked.")]


def test_list_of_devices_changes_nothing_but_trust(browser, client, ada):
    changelist = reverse("admin:faceauth_devicetrust_changelist")
    trust = ada.face_devices.get()
    chief = staff("chief", is_superuser=True)
    DeviceTrust.objects.create(device=trust.device, user=chief, by=DeviceTrust.By.PASSWORD)

    client.force_login(staff("reader", "view_devicetrust"))
    page = client.get(changelist)
    assert "Firefox, Linux" in page.text
    assert "Revoke" not in page.text
    assert client.get(reverse("admin:faceauth_devicetrust_add")).status_code == 403

    client.force_login(staff("boss", "view_devicetrust", "remove_face"))
    chosen = DeviceTrust.objects.values_list("pk", flat=True)
    form = {"action": "revoke", "_selected_action": list(chosen)}
    page = client.post(changelist, form, follow=True)
    assert "1 device is no longer trusted." in page.text
    assert "Devices of staff were skipped" in page.text
    assert list(DeviceTrust.objects.values_list("user__username", flat=True)) == ["chief"]


def test_list_of_devices_takes_few_queries(client, admin_client, django_assert_max_num_queries):
    for number in range(5):
        member(f"user{number}", number)
        logged_in(f"user{number}", trust="on")
    with django_assert_max_num_queries(10):
        page = admin_client.get(reverse("admin:faceauth_devicetrust_changelist"), {"q": "user3"})
    assert page.text.count('class="field-label"') == 1
