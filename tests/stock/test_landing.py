"""Where a login leads in a site that has no page of its own yet, and the way out again."""

from __future__ import annotations

import pytest
from django.urls import reverse

from tests.support.accounts import PASSWORD, account

LOGIN, DEVICES, ENROL, LOGOUT = (
    f"/face/{each}/" for each in ("login", "devices", "enrol", "logout")
)


@pytest.fixture
def landed(client, db, settings):
    """Log in by password, as the settings of docs/installation.md lead on."""
    settings.LOGIN_REDIRECT_URL = "faceauth:devices"
    account("ada")
    fields = {"username": "ada", "password": PASSWORD}
    return client.post(LOGIN, fields, follow=True)


def test_page_after_the_login_says_who_is_logged_in_and_leads_on(landed):
    assert landed.redirect_chain == [(DEVICES, 302)]
    page = landed.text
    assert "You are logged in as <b>ada</b>." in " ".join(page.split())
    assert f'href="{ENROL}">Set up face login</a>' in page
    assert f'<form method="post" action="{LOGOUT}">' in page
    assert "Next time, log in with your face instead of typing your password." in page


def test_logging_out_leads_to_the_login_page(client, landed):
    left = client.post(LOGOUT, follow=True)
    assert left.redirect_chain == [(LOGIN, 302)]
    assert "You are logged out." in left.text
    # Nobody is logged in, so nobody can log out.
    assert LOGOUT not in left.text
    assert client.get(DEVICES).url == f"{LOGIN}?next={DEVICES}"


def test_logging_out_leads_where_the_site_says(client, landed, settings):
    settings.LOGOUT_REDIRECT_URL = reverse("admin:login")
    assert client.post(LOGOUT).url == "/admin/login/"
