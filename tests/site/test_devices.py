"""Trusted devices: where a face alone logs in, and where it does not."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.test import Client
from django.utils import timezone

from accounts.models import User
from faceauth import devices
from faceauth.devices import cookie
from faceauth.gallery import gallery
from faceauth.models import DeviceTrust, FaceDevice, FaceEvent
from faceauth.privacy.export import export
from faceauth.signals import face_device_revoked, face_device_trusted
from tests.site.conftest import JSON, PASSWORD, log_out, username_of
from tests.support.mail import sent
from tests.support.people import OBAMA

pytestmark = pytest.mark.postgres

LOGIN, CODE = "/face/login/", "/face/login/?step=code"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


@pytest.fixture(autouse=True)
def unknown_devices(settings) -> Callable[[str], None]:
    """Let a face on an unknown device be followed by a code, as it is by default."""

    def become(value: str) -> None:
        settings.FACEAUTH = {**settings.FACEAUTH, "UNKNOWN_DEVICES": value}

    become("code")
    return become


@pytest.fixture
def biden(enrolled):
    return enrolled("biden", "biden", password=PASSWORD)


@pytest.fixture
def show(upload):
    """Send a face to the login page, as its script does."""

    def send(client: Client, name: str, **form: Any) -> tuple[int, Any]:
        response = client.post(LOGIN, {"snapshot": upload(name), **form}, headers=JSON)
        return response.status_code, response.json()

    return send


def log_in_by_password(client: Client, name: str, **form: Any) -> None:
    """Log in, tick the box, and log out again."""
    form = {"username": name, "password": PASSWORD, "trust": "on", **form}
    response = client.post(LOGIN, form, headers={"user-agent": FIREFOX})
    assert response.status_code == 302
    log_out(client)


def code_in(message: Any) -> str:
    """Return the code in a mail."""
    found = re.search(r"^\d{6}$", message.body, re.MULTILINE)
    assert found
    return found[0]


def kinds(user: User) -> list[str]:
    return [event.kind for event in user.face_events.order_by("pk")]


def test_face_alone_opens_nothing_on_an_unknown_device(client, obama, show):
    for form in ({}, {"username": "obama"}, {"username": "obama@example.com"}):
        status, answer = show(client, "obama2", **form)
        assert (status, answer["user"], answer["code_required"]) == (200, None, True)
        assert username_of(client) is None


def test_password_with_the_tick_trusts_the_browser_and_the_face_is_enough_there(
    client, obama, show
):
    log_in_by_password(client, "obama")
    status, answer = show(client, "obama2")
    assert (status, answer["user"]["username"]) == (200, "obama")
    assert username_of(client) == "obama"
    trusted, used = FaceEvent.objects.filter(user=obama).order_by("pk")
    assert (trusted.kind, trusted.device) == ("device_trusted", "Firefox, Linux")
    assert (used.kind, used.mode) == ("login", "device")


def test_password_without_the_tick_trusts_nothing(client, obama, show):
    client.post(LOGIN, {"username": "obama", "password": PASSWORD})
    log_out(client)
    assert show(client, "obama2")[1]["code_required"]
    assert not FaceDevice.objects.exists()


def test_wrong_password_with_the_tick_trusts_nothing(client, obama):
    client.post(LOGIN, {"username": "obama", "password": "wrong", "trust": "on"})
    assert not FaceDevice.objects.exists()


def test_stranger_on_a_trusted_device_is_refused(client, obama, biden, show):
    log_in_by_password(client, "obama")
    status, answer = show(client, "biden")
    assert (status, answer["error"]["code"]) == (401, "not_recognised")
    assert username_of(client) is None


def test_trusted_device_loads_no_gallery(client, obama, show):
    gallery.cache_clear()
    log_in_by_password(client, "obama")
    assert show(client, "obama2")[0] == 200
    assert gallery.cache_info().currsize == 0


def test_family_computer_serves_each_of_its_people(client, obama, biden, show):
    for name in ("obama", "biden"):
        log_in_by_password(client, name)
    assert FaceDevice.objects.count() == 1
    for name in ("obama", "biden"):
        assert show(client, {"obama": "obama2"}.get(name, name))[1]["user"]["username"] == name
        log_out(client)


def test_people_who_look_alike_are_asked_for_the_name(client, obama, enrolled, show):
    enrolled("twin", "obama", password=PASSWORD)
    for name in ("obama", "twin"):
        log_in_by_password(client, name)
    assert show(client, "obama2")[0] == 401
    assert show(client, "obama2", username="twin")[1]["user"]["username"] == "twin"


def test_fourth_person_takes_the_place_of_the_one_who_was_there_longest_ago(client, enrolled):
    for number in range(4):
        enrolled(f"user{number}", "obama", password=PASSWORD)
        log_in_by_password(client, f"user{number}")
    device = FaceDevice.objects.get()
    assert {each.user.username for each in device.trusts.all()} == {"user1", "user2", "user3"}


def test_someone_else_on_a_trusted_device_gives_a_name_and_gets_a_code(client, obama, biden, show):
    log_in_by_password(client, "obama")
    assert show(client, "biden", username="biden")[1]["code_required"]
    code = code_in(sent()[-1])
    client.post(LOGIN, {"code": code})
    assert username_of(client) == "biden"


def test_mailed_code_logs_in_and_trusts_the_browser(client, obama, show):
    status, answer = show(client, "obama2", username="obama", next="/members/")
    assert answer["next"] == "/face/login/?step=code&next=%2Fmembers%2F"
    assert "Check your email" in client.get(answer["next"]).content.decode()
    message = sent()[-1]
    assert message.to == ["obama@example.com"]
    code = code_in(message)
    response = client.post(LOGIN, {"code": f"{code[:3]} {code[3:]}", "trust": "on"})
    assert response.status_code == 302
    assert username_of(client) == "obama"
    assert kinds(obama) == ["code_sent", "login", "device_trusted"]
    log_out(client)
    assert show(client, "obama2")[1]["user"]["username"] == "obama"


def test_code_works_once_and_in_its_session_alone(client, obama, show):
    show(client, "obama2", username="obama")
    code = code_in(sent()[-1])
    other = Client()
    show(other, "biden", username="obama")
    assert other.post(LOGIN, {"code": code}, headers=JSON).status_code in (400, 401, 403, 410)
    client.post(LOGIN, {"code": code})
    log_out(client)
    client.post(LOGIN, {"code": code})
    assert username_of(client) is None


def test_wrong_codes_are_counted(client, obama, show):
    show(client, "obama2", username="obama")
    code = code_in(sent()[-1])
    wrong = str((int(code) + 1) % 10**6).zfill(6)
    for _try in range(5):
        client.post(LOGIN, {"code": wrong})
    client.post(LOGIN, {"code": code})
    assert username_of(client) is None


def test_code_ends_with_the_face(client, obama, show):
    show(client, "obama2", username="obama")
    code = code_in(sent()[-1])
    User.objects.filter(pk=obama.pk).update(face_encodings=None)
    client.post(LOGIN, {"code": code})
    assert username_of(client) is None


@pytest.mark.parametrize("case", ["other face", "no such account", "no face", "inactive"])
def test_answer_is_the_same_whatever_is_wrong(client, obama, enrolled, show, case):
    name, face = "obama", "biden"
    if case == "no such account":
        name = "nobody"
    elif case == "no face":
        name = User.objects.create_user("faceless", "f@example.com").username
    elif case == "inactive":
        name, face = enrolled("gone", "biden", is_active=False).username, "biden"
    right = show(Client(), "obama2", username="obama")
    sent().clear()
    assert show(client, face, username=name) == right
    assert sent() == []
    page = client.get(CODE)
    assert page.status_code == 200
    client.post(LOGIN, {"code": "123456"})
    assert username_of(client) is None


def test_mails_are_limited_per_account(obama, show, settings):
    settings.FACEAUTH = {**settings.FACEAUTH, "CODES_PER_HOUR": 2}
    answers = {str(show(Client(), "obama2", username="obama")) for _time in range(4)}
    assert len(answers) == 1
    assert len(sent()) == 2


def test_account_without_an_address_gets_the_same_answer_and_no_mail(client, obama, show):
    right = show(Client(), "obama2", username="obama")
    User.objects.filter(pk=obama.pk).update(email="")
    sent().clear()
    assert show(client, "obama2", username="obama") == right
    assert sent() == []


def test_refuse_leads_to_the_password(client, obama, show, unknown_devices):
    unknown_devices("refuse")
    status, answer = show(client, "obama2", username="obama")
    assert (status, answer["error"]["code"]) == (403, "unknown_device")
    log_in_by_password(client, "obama")
    assert show(client, "obama2")[0] == 200


def test_allow_logs_in_and_trusts_nothing(client, obama, show, unknown_devices):
    unknown_devices("allow")
    assert show(client, "obama2", trust="on")[1]["user"]["username"] == "obama"
    assert not FaceDevice.objects.exists()


def test_face_alone_can_trust_no_device(client, obama, show, unknown_devices):
    unknown_devices("allow")
    show(client, "obama2")
    response = client.post("/face/devices/trust/")
    assert response["Location"].startswith("/face/confirm/?")
    assert not FaceDevice.objects.exists()
    client.post("/face/confirm/", {"password": PASSWORD})
    client.post("/face/devices/trust/")
    assert DeviceTrust.objects.get().user == obama


def test_copied_cookie_of_a_browser_without_a_key_is_noticed(client, obama, show):
    log_in_by_password(client, "obama")
    thief = Client()
    thief.cookies[cookie.name()] = client.cookies[cookie.name()].value
    assert show(client, "obama2")[0] == 200
    log_out(client)
    FaceDevice.objects.update(rotated_at=timezone.now() - timedelta(minutes=3))
    sent().clear()
    assert show(thief, "obama2")[1]["code_required"]
    assert username_of(thief) is None
    assert "device_copied" in kinds(obama)
    assert any("may have been copied" in each.subject for each in sent())
    # The device is no longer trusted, whoever has it.
    assert show(client, "obama2")[1]["code_required"]


def test_lost_answer_is_no_theft(client, obama, show):
    log_in_by_password(client, "obama")
    before = client.cookies[cookie.name()].value
    show(client, "obama2")
    log_out(client)
    client.cookies[cookie.name()] = before
    assert show(client, "obama2")[0] == 200


def test_cookie_that_somebody_made_up_revokes_nothing(client, obama, show):
    log_in_by_password(client, "obama")
    device = FaceDevice.objects.get()
    forger = Client()
    for value in (f"[{device.pk},secret]", f"{device.pk}.secret", "x", "\x00", "a:b:c"):
        forger.cookies[cookie.name()] = value
        assert show(forger, "obama2")[1]["code_required"]
    assert FaceDevice.objects.get() == device


class Key:
    """A browser's key."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())

    @property
    def public(self) -> str:
        der = self._key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return base64.b64encode(der).decode()

    def sign(self, nonce: str) -> dict[str, str]:
        signature = self._key.sign(f"faceauth device {nonce}".encode(), ec.ECDSA(SHA256()))
        raw = b"".join(each.to_bytes(32, "big") for each in utils.decode_dss_signature(signature))
        return {"device_nonce": nonce, "device_signature": base64.b64encode(raw).decode()}


def nonce_of(client: Client) -> str:
    nonce = client.get(LOGIN).context["device_nonce"]
    assert nonce
    return nonce


def test_stolen_cookie_without_the_key_logs_nobody_in(client, obama, show):
    key = Key()
    log_in_by_password(client, "obama", device_key=key.public)
    thief = Client()
    thief.cookies[cookie.name()] = client.cookies[cookie.name()].value
    for form in ({}, Key().sign(nonce_of(thief)), {"device_nonce": nonce_of(thief)}):
        assert show(thief, "obama2", **form)[1]["code_required"]
        assert username_of(thief) is None
    sent().clear()
    assert show(client, "obama2", **key.sign(nonce_of(client)))[0] == 200
    assert username_of(client) == "obama"
    assert "device_copied" in kinds(obama)
    assert any("may have been copied" in each.subject for each in sent())


def test_signature_works_once(client, obama, show):
    key = Key()
    log_in_by_password(client, "obama", device_key=key.public)
    signed = key.sign(nonce_of(client))
    assert show(client, "obama2", **signed)[0] == 200
    log_out(client)
    assert show(client, "obama2", **signed)[1]["code_required"]
    # The browser has the key, so nobody has copied its cookie.
    assert FaceDevice.objects.get().suspected_at is None


def test_key_of_another_kind_is_no_key(client, obama):
    other = ec.generate_private_key(ec.SECP384R1()).public_key()
    der = other.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    log_in_by_password(client, "obama", device_key=base64.b64encode(der).decode())
    assert not FaceDevice.objects.get().has_key


def test_device_that_was_not_used_for_long_is_unknown(client, obama, show):
    log_in_by_password(client, "obama")
    FaceDevice.objects.update(last_used_at=timezone.now() - timedelta(days=91))
    assert show(client, "obama2")[1]["code_required"]


def test_device_is_named_and_revoked_by_its_owner_alone(client, obama, biden, show):
    log_in_by_password(client, "obama")
    trust = DeviceTrust.objects.get()
    client.force_login(biden)
    for action in ("rename", "revoke"):
        assert client.post(f"/face/devices/{trust.pk}/{action}/").status_code == 404
    client.force_login(obama)
    client.post(f"/face/devices/{trust.pk}/rename/", {"name": "My laptop"})
    assert str(DeviceTrust.objects.get()) == "My laptop"
    client.post(f"/face/devices/{trust.pk}/revoke/")
    log_out(client)
    assert show(client, "obama2")[1]["code_required"]
    assert not FaceDevice.objects.exists()


def test_mail_tells_of_a_new_device_and_its_link_revokes_it(client, obama, show):
    log_in_by_password(client, "obama")
    (message,) = sent()
    assert message.to == ["obama@example.com"]
    assert "Firefox, Linux" in message.body
    found = re.search(r"http://testserver(\S+)", message.body)
    assert found
    reader = Client()
    assert reader.get(found[1]).status_code == 200
    assert FaceDevice.objects.exists()
    reader.post(found[1])
    assert not FaceDevice.objects.exists()
    assert reader.get(found[1]).status_code == 200
    assert show(client, "obama2")[1]["code_required"]


def test_enrolling_after_the_password_trusts_the_browser(db, client, upload, show):
    user = User.objects.create_user("ada", "ada@example.com", PASSWORD)
    client.post(LOGIN, {"username": "ada", "password": PASSWORD})
    pictures = [upload(name) for name in OBAMA]
    client.post("/face/enrol/", {"consent": "on", "snapshot": pictures, "trust": "on"})
    log_out(client)
    assert user.face_devices.count() == 1
    assert show(client, "obama2")[1]["user"]["username"] == "ada"


def test_export_and_deletion_cover_the_devices(client, obama, biden):
    for name in ("obama", "biden"):
        log_in_by_password(client, name)
    (device,) = export(obama)["devices"]
    assert (device["device"], device["trusted_after"]) == ("Firefox, Linux", "password")
    obama.delete()
    assert FaceDevice.objects.get().trusts.get().user == biden
    biden.delete()
    assert not FaceDevice.objects.exists()


def test_staff_enter_the_password_first_on_an_unknown_device(client, obama, upload):
    User.objects.filter(pk=obama.pk).update(is_staff=True)
    page = client.get("/admin/login/face/", follow=True)
    assert page.redirect_chain[-1][0].startswith("/admin/login/")
    assert "Log in with your password first" in page.text
    answer = client.post("/admin/login/face/", {"snapshot": upload("obama2")}, headers=JSON)
    assert answer.json()["error"]["code"] == "unknown_device"
    log_in_by_password(client, "obama")
    assert client.get("/admin/login/face/").status_code == 200
    client.post("/admin/login/face/", {"snapshot": upload("obama2")})
    assert username_of(client) == "obama"


def test_waits_do_not_tell_that_a_name_and_an_address_are_one_account(obama, show):
    def codes(name, face, times):
        client = Client(REMOTE_ADDR=f"192.0.2.{len(name)}")
        return [show(client, face, username=name)[0] for _time in range(times)]

    for first, second in (("obama", "obama@example.com"), ("nobody", "nobody@example.com")):
        assert codes(first, "biden", 6) == [200] * 5 + [429]
        assert codes(second, "biden", 6) == [200] * 5 + [429]
        assert codes(first.upper(), "biden", 1) == [429]


def test_user_trusts_no_more_than_twenty_devices(obama):
    for _time in range(22):
        log_in_by_password(Client(), "obama")
    assert obama.face_devices.count() == 20


def test_receivers_hear_of_devices(client, obama):
    heard = []

    def listen(signal, user, event, **kwargs):
        heard.append((signal, user, event.device))

    followed = (face_device_trusted, face_device_revoked)
    for signal in followed:
        signal.connect(listen)
    try:
        log_in_by_password(client, "obama")
        devices.revoke_all(obama)
    finally:
        for signal in followed:
            signal.disconnect(listen)
    assert heard == [(signal, obama, "Firefox, Linux") for signal in followed]
