"""The confirmed address: a reset by email removes what was added before it."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.contrib.messages import get_messages
from django.utils import timezone

from faceauth import faces, logins
from faceauth.models import DeviceTrust, FaceDevice, FaceEvent
from tests.site.conftest import JSON
from tests.support import mail
from tests.support.accounts import PASSWORD, account, face
from tests.support.people import encodings, enrol_silently
from tests.support.signing_up import sign_up

pytestmark = pytest.mark.django_db

NEW_PASSWORD = {"new_password1": "another long one", "new_password2": "another long one"}


def reset(client, user):
    """Reset the password by email, and return the last page."""
    client.post("/accounts/password-reset/", {"email": user.email})
    (link,) = re.findall(r"http://testserver(/\S+)", mail.sent()[-1].body)
    form = client.get(link)["Location"]
    return client.post(form, NEW_PASSWORD, follow=True)


def add_device(user, age=timedelta(), by="code"):
    device = FaceDevice.objects.create(secret_hash="x", label="Firefox")
    at = timezone.now() - age
    return DeviceTrust.objects.create(device=device, user=user, by=by, created_at=at)


def test_the_first_proof_is_kept():
    ada = account("ada")
    logins.confirm_address(ada)
    first = face(ada).face_address_confirmed_at
    assert first is not None
    logins.confirm_address(face(ada))
    assert face(ada).face_address_confirmed_at == first
    # Capitals don't make it another address.
    ada.email = "ADA@example.com"
    logins.confirm_address(ada)
    assert face(ada).face_address_confirmed_at == first


def test_a_new_address_is_confirmed_by_a_proof_of_its_own():
    ada = account("ada")
    logins.confirm_address(ada)
    first = face(ada).face_address_confirmed_at
    ada.email = "new@example.com"
    ada.save()
    logins.confirm_address(ada)
    assert face(ada).face_address_confirmed_at > first


def test_the_hash_names_no_address():
    ada = account("ada")
    logins.confirm_address(ada)
    assert re.fullmatch("[0-9a-f]{64}", face(ada).face_address_hash)


def test_no_address():
    ada = account("ada")
    ada.email = ""
    logins.confirm_address(ada)
    assert face(ada).face_address_confirmed_at is None


def test_an_account_made_with_somebody_elses_address(client, upload):
    """A stranger takes the victim's address and enrols a face of their own; the victim resets."""
    victim = account("victim", "the password of a stranger")
    enrol_silently(victim, encodings("obama", "obama3"))
    add_device(victim)
    page = reset(client, victim)
    assert "somebody else could have enrolled it" in page.text
    assert not face(victim).has_face
    assert not DeviceTrust.objects.exists()
    told = mail.sent()[-1]
    assert told.to == [victim.email]
    assert "somebody else could have enrolled it" in told.body
    assert FaceEvent.objects.get(kind="removed").outcome == "reset"
    login = {"username": "victim", "snapshot": upload("obama2")}
    assert client.post("/face/login/", login, headers=JSON).status_code == 401
    assert client.login(username="victim", password=NEW_PASSWORD["new_password1"])


def test_what_was_added_afterwards_stays(client):
    ada = account("ada")
    old = add_device(ada, age=timedelta(days=1))
    logins.confirm_address(ada)
    enrol_silently(ada, encodings("obama", "obama3"))
    new = add_device(ada)
    page = reset(client, ada)
    assert face(ada).has_face
    assert list(DeviceTrust.objects.all()) == [new]
    assert old.device.label in FaceEvent.objects.get(kind="device_revoked").device
    assert "browsers that were trusted before" in page.text


def test_trust_that_the_old_password_gave_ends(client):
    """Somebody else may have known it."""
    ada = account("ada")
    logins.confirm_address(ada)
    add_device(ada, by="password")
    assert "not trusted any more" in reset(client, ada).text
    assert not DeviceTrust.objects.exists()


def test_a_reset_confirms_the_address(client):
    ada = account("ada")
    reset(client, ada)
    enrol_silently(ada, encodings("obama", "obama3"))
    device = add_device(ada)
    page = reset(client, ada)
    assert face(ada).has_face
    assert DeviceTrust.objects.get() == device
    assert not list(get_messages(page.wsgi_request))


def test_a_face_that_was_shown_together_with_a_code_stays(client):
    ada = account("ada")
    device = add_device(ada, age=timedelta(days=1))
    enrol_silently(ada, encodings("obama", "obama3"))
    logins.confirm_address(ada, face_seen=True)
    reset(client, ada)
    assert face(ada).has_face
    assert not DeviceTrust.objects.filter(pk=device.pk).exists()


def test_another_address_is_not_confirmed(client):
    ada = account("ada")
    logins.confirm_address(ada)
    enrol_silently(ada, encodings("obama", "obama3"))
    ada.email = "new@example.com"
    ada.save()
    reset(client, ada)
    assert not face(ada).has_face


def test_a_face_that_is_a_second_step_stays(client, settings):
    """The mailbox does not replace the second factor."""
    settings.FACEAUTH = {**settings.FACEAUTH, "ADMIN_SECOND_STEP": True}
    ada = account("ada", is_staff=True)
    enrol_silently(ada, encodings("obama", "obama3"))
    reset(client, ada)
    assert face(ada).has_face


def test_a_face_from_after_sign_up_stays(client):
    sign_up(client, password=PASSWORD)
    ada = faces.users().get()
    enrol_silently(ada, encodings("obama", "obama3"))
    client.logout()
    reset(client, ada)
    assert face(ada).has_face
