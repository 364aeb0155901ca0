"""The check that finds a login page which bypasses allauth's second factor."""

from __future__ import annotations

from django.core.checks import run_checks
from django.urls import include, path

from faceauth import checks

urlpatterns = [
    path("face/", include("faceauth.urls")),
    path("accounts/", include("allauth.urls")),
]


def test_login_by_way_of_allauth_is_passed_over():
    told = {each.id for each in run_checks()}
    assert told <= {"faceauth.W007", "faceauth.W009"}


def test_login_past_allauth_is_a_warning(settings):
    settings.ROOT_URLCONF = __name__
    (warning,) = checks.check_login_view(None)
    assert warning.id == "faceauth.W026"
    assert "'allauth.mfa'" in warning.msg
    assert warning.hint.startswith("Include faceauth.allauth.urls instead of faceauth.urls")
    assert "docs/customise.md" in warning.hint
