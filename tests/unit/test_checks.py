from __future__ import annotations

import pytest
from django.core.checks import run_checks
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command

from faceauth import checks, conf


def ids(found):
    return [each.id for each in found]


def test_site_has_nothing_to_complain_about():
    assert run_checks() == []


def test_unknown_key_names_the_nearest(settings):
    settings.FACEAUTH = {"MAX_DISTNCE": 0.3}
    (error,) = checks.check_settings(None)
    assert error.id == "faceauth.E001"
    assert "MAX_DISTANCE" in error.hint
    with pytest.raises(ImproperlyConfigured, match="MAX_DISTNCE"):
        conf.get()


@pytest.mark.parametrize("value", ["0.3", None, True, -1, 0])
def test_wrong_values_are_errors(settings, value):
    settings.FACEAUTH = {"MAX_DISTANCE": value}
    assert ids(checks.check_settings(None)) == ["faceauth.E002"]


def test_right_values_are_none(settings):
    settings.FACEAUTH = {"MAX_DISTANCE": 0.3, "THREADS": 2, "MAX_CONCURRENT_LOOKS": None}
    assert checks.check_settings(None) == []


def test_distance_of_face_recognition_is_warned_about(settings):
    settings.FACEAUTH = {"MAX_DISTANCE": 0.6}
    assert ids(checks.check_settings(None)) == ["faceauth.W001"]


def test_user_model_without_columns_and_missing_backend(settings, monkeypatch):
    settings.AUTHENTICATION_BACKENDS = ["django.contrib.auth.backends.ModelBackend"]
    monkeypatch.setattr(checks, "get_user_model", lambda: object)
    assert ids(checks.check_user_model(None)) == ["faceauth.E003", "faceauth.E004"]


def test_missing_weights(monkeypatch):
    monkeypatch.setattr(checks, "ENCODER_FILE", "gone.dat")
    assert ids(checks.check_networks(None)) == ["faceauth.E005"]


@pytest.mark.django_db
def test_no_migration_is_missing():
    call_command("makemigrations", "--check", "--dry-run", verbosity=0)
