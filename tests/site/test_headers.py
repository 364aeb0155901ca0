"""What browsers are told: whose code runs, who uses the camera, and over what connection."""

from __future__ import annotations

import re

import pytest
from django.conf import settings

PAGES = [
    "/",
    "/face/login/",
    "/accounts/signup/",
    "/accounts/profile/",
    "/face/enrol/",
    "/face/remove/",
    "/face/confirm/",
    "/nowhere/",
]


@pytest.fixture
def page(client, admin_user):
    def get(path):
        if not path.startswith(("/face/login", "/accounts/signup")):
            client.force_login(admin_user)
        return client.get(path)

    return get


@pytest.mark.parametrize("path", PAGES)
def test_pages_run_only_their_own_code(page, path):
    policy = page(path)["Content-Security-Policy"]
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules["default-src"] == "'self'"
    assert "unsafe" not in policy
    assert not set(rules) & {"script-src", "style-src", "connect-src"}, "laxer than default-src?"
    assert (rules["object-src"], rules["base-uri"]) == ("'none'", "'none'")
    assert rules["frame-ancestors"] == "'none'"


@pytest.mark.parametrize("path", PAGES)
def test_pages_have_nothing_that_this_forbids(page, path):
    html = page(path).content.decode()
    assert not re.search(r"<script(?![^>]*\bsrc=)", html)
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=", html)
    assert not re.search(r"(src|href)=\"(https?:)?//", html)


@pytest.mark.parametrize("path", PAGES)
def test_camera_is_for_this_site_alone(page, path):
    response = page(path)
    assert "camera=(self)" in response["Permissions-Policy"]
    assert "microphone=()" in response["Permissions-Policy"]
    assert response["X-Frame-Options"] == "DENY"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Referrer-Policy"] == "same-origin"


@pytest.mark.parametrize(
    "path",
    [
        *PAGES[1:-1],
        "/face/devices/",
        "/face/export/",
        "/face/notice/",
        "/face/whoami/",
        "/members/",
        "/accounts/password-change/",
    ],
)
def test_nobody_sees_pages_of_the_one_before_with_the_back_button(page, path):
    response = page(path)
    assert response.status_code in (200, 302)
    assert "no-store" in response["Cache-Control"]
    assert "private" in response["Cache-Control"]


def test_cookies_are_no_business_of_scripts(client, db):
    assert settings.SESSION_COOKIE_HTTPONLY
    client.get("/face/login/")
    assert client.cookies["csrftoken"]["samesite"] == "Lax"
