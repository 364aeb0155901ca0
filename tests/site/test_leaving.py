"""Log out everywhere, delete the account, and remove a face without a password."""

from __future__ import annotations

import re

import pytest
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone

from accounts.models import User
from faceauth.models import FaceDevice, FaceEvent
from tests.site.conftest import PASSWORD, log_in_by_face, username_of
from tests.support.mail import sent

EVERYWHERE, DELETE, REMOVE = "/accounts/logout-everywhere/", "/accounts/delete/", "/face/remove/"
PROFILE, CONFIRM = "/accounts/profile/", "/face/confirm/"
BY_PASSWORD = "django.contrib.auth.backends.ModelBackend"

pytestmark = pytest.mark.postgres


@pytest.fixture
def visitor(client, obama):
    """Obama, in a session that his face has begun."""
    log_in_by_face(client, obama)
    return client


@pytest.fixture
def others(obama):
    """Two other browsers in which Obama is logged in."""
    by_face, by_password = Client(), Client()
    log_in_by_face(by_face, obama)
    by_password.force_login(obama, backend=BY_PASSWORD)
    return by_face, by_password


@pytest.fixture
def device(obama, client):
    """A browser that Obama trusts."""
    device = FaceDevice.objects.create(secret_hash="0" * 64)
    device.trusts.create(user=obama, by="password")
    return device


def is_logged_in(client):
    return client.get(PROFILE).status_code == 200


def forget_confirmations(client):
    session = client.session
    del session["faceauth_seen"]
    session.save()


def test_other_sessions_end_and_this_one_stays(visitor, others, device):
    assert f'href="{EVERYWHERE}"' in visitor.get(PROFILE).text
    assert "Remove all trusted devices" in visitor.get(EVERYWHERE).text
    key = visitor.session.session_key
    page = visitor.post(EVERYWHERE, follow=True)
    assert "You are logged out everywhere else." in page.text
    assert [is_logged_in(each) for each in (visitor, *others)] == [True, False, False]
    assert visitor.session.session_key != key
    assert FaceDevice.objects.count() == 1


@pytest.mark.parametrize("backend", ["faceauth.backends.FaceBackend", BY_PASSWORD])
def test_trusted_devices_go_if_asked(client, obama, others, device, backend):
    client.force_login(obama, backend=backend)
    page = client.post(EVERYWHERE, {"devices": "on"}, follow=True)
    assert "no device is trusted any more" in page.text
    assert [is_logged_in(each) for each in (client, *others)] == [True, False, False]
    assert not FaceDevice.objects.exists()
    assert FaceEvent.objects.filter(kind="device_revoked", user=obama).count() == 1


def test_nobody_elses_session_ends(visitor, enrolled):
    biden = Client()
    log_in_by_face(biden, enrolled("biden", "biden"))
    visitor.post(EVERYWHERE)
    assert is_logged_in(biden)


def test_sessions_outlive_a_change_of_the_secret_key(visitor, others, settings):
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another secret key, which is as long as the one before it was"
    assert all(is_logged_in(each) for each in (visitor, *others))
    settings.SECRET_KEY_FALLBACKS = []
    assert all(is_logged_in(each) for each in (visitor, *others))


def test_password_changed_in_a_session_of_the_face_ends_the_others(visitor, others):
    new = "another engine of brass"
    form = {"old_password": PASSWORD, "new_password1": new, "new_password2": new}
    assert visitor.post("/accounts/password-change/", form)["Location"] == PROFILE
    assert [is_logged_in(each) for each in (visitor, *others)] == [True, False, False]


@pytest.mark.parametrize("page", [EVERYWHERE, DELETE])
def test_session_that_was_left_open_is_not_enough(visitor, others, page):
    forget_confirmations(visitor)
    assert visitor.get(page)["Location"].startswith(CONFIRM)
    assert visitor.post(page)["Location"].startswith(CONFIRM)
    assert all(is_logged_in(each) for each in others)
    visitor.post(CONFIRM, {"password": PASSWORD})
    assert visitor.get(page).status_code == 200
    assert Client().post(page)["Location"].startswith("/face/login/")


def test_account_is_deleted_with_all_that_belongs_to_it(visitor, others, device, obama):
    FaceEvent.objects.create(kind="refused", user=obama, address="198.51.100.0/24")
    assert f'href="{DELETE}"' in visitor.get(PROFILE).text
    assert "<b>obama</b>" in visitor.get(DELETE).text
    assert User.objects.exists()
    page = visitor.post(DELETE, follow=True)
    assert "Your account was deleted." in page.text
    assert not User.objects.exists()
    assert not FaceDevice.objects.exists()
    assert {*FaceEvent.objects.values_list("user", "address")} == {(None, "")}
    assert [username_of(each) for each in (visitor,)] == [None]
    assert not any(is_logged_in(each) for each in (visitor, *others))
    assert Session.objects.filter(expire_date__gt=timezone.now()).count() <= 3


# A face that is the only way in


def test_face_is_removed_without_a_password_where_a_mail_opens_another_way(client, enrolled):
    user = enrolled("ada", "obama")
    log_in_by_face(client, user)
    page = " ".join(client.get(REMOVE).text.split())
    assert "You have no password. To log in again, you need a link" in page
    assert client.post(REMOVE).status_code == 302
    user.refresh_from_db()
    assert not user.has_face
    assert is_logged_in(client)
    # And the way in is there.
    client.logout()
    sent().clear()
    client.post("/accounts/password-reset/", {"email": user.email})
    (link,) = re.findall(r"http://testserver(/\S+)", str(sent()[0].body))
    form = client.get(link)["Location"]
    new = "another engine of brass"
    client.post(form, {"new_password1": new, "new_password2": new})
    assert client.login(username="ada", password=new)


@pytest.mark.parametrize("missing", ["address", "mail"])
def test_whoever_gets_no_mail_sets_a_password_or_deletes_the_account(
    client, enrolled, settings, missing
):
    user = enrolled("ada", "obama")
    log_in_by_face(client, user)
    if missing == "address":
        User.objects.update(email="")
    else:
        settings.EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"
        settings.MAILERS = {"default": {"BACKEND": settings.EMAIL_BACKEND}}
    page = client.get(REMOVE).text
    assert f'href="{DELETE}"' in page and 'href="/accounts/password-change/"' in page
    assert client.post(REMOVE).status_code == 409
    assert User.objects.get().has_face
    assert client.post(DELETE).status_code == 302
    assert not User.objects.exists()
