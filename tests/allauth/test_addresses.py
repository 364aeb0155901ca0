"""allauth's confirmations of addresses, and its password resets."""

from __future__ import annotations

import re

import pytest
from allauth.account.models import EmailAddress, EmailConfirmationHMAC
from django.core import mail

from faceauth import logins
from faceauth.models import DeviceTrust, FaceDevice
from tests.support.accounts import PASSWORD, account, face

NEW_PASSWORD = {"password1": "another long one", "password2": "another long one"}


def link_in_mail():
    (link,) = re.findall(r"http://testserver(/accounts/\S+)", mail.outbox[-1].body)
    return link


@pytest.mark.parametrize("own", [True, False], ids=["the user's", "another one"])
def test_a_confirmed_address(client, db, own):
    ada = account("ada")
    email = ada.email
    if not own:
        EmailAddress.objects.create(user=ada, email=email, verified=True, primary=True)
        email = "second@example.com"
    found = EmailAddress.objects.create(user=ada, email=email, verified=False)
    client.post(f"/accounts/confirm-email/{EmailConfirmationHMAC(found).key}/")
    found.refresh_from_db()
    assert found.verified
    assert (face(ada).face_address_confirmed_at is not None) == own


@pytest.mark.parametrize("confirmed", [True, False])
def test_a_password_reset(client, enrolled, confirmed):
    ada = enrolled("ada", "obama", "obama3")
    if confirmed:
        logins.confirm_address(ada)
        # As if the face came later.
        type(face(ada)).objects.update(face_address_confirmed_at=face(ada).face_enrolled_at)
    client.post("/accounts/password/reset/", {"email": ada.email})
    page = client.get(link_in_mail(), follow=True)
    client.post(page.request["PATH_INFO"], NEW_PASSWORD)
    assert client.login(username="ada", password=NEW_PASSWORD["password1"])
    assert face(ada).has_face == confirmed
    assert face(ada).face_address_confirmed_at is not None


def test_a_changed_password_ends_the_trust_that_the_old_one_gave(client, db):
    ada = account("ada")
    for by in DeviceTrust.By:
        device = FaceDevice.objects.create(secret_hash="x")
        DeviceTrust.objects.create(device=device, user=ada, by=by)
    client.force_login(ada, backend="django.contrib.auth.backends.ModelBackend")
    form = {"oldpassword": PASSWORD, **NEW_PASSWORD}
    assert client.post("/accounts/password/change/", form).status_code == 302
    assert {each.by for each in DeviceTrust.objects.all()} == {"code", "staff"}
