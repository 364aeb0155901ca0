from __future__ import annotations

import math
import shutil

import django
import numpy as np
import pytest
from django.core.checks import run_checks
from django.core.exceptions import ImproperlyConfigured
from django.db import DEFAULT_DB_ALIAS

from accounts.models import User
from faceauth import checks, conf
from faceauth.checks import installation
from faceauth.checks.settings import MAX_PERIODS
from faceauth.recognition.calibration import data_file

KEY = "ZGF0YS1kYXRhLWRhdGEtZGF0YS1kYXRhLWRhdGEtISE="
KEYS = {
    "ENCRYPTION_KEYS": [KEY],
    "ENCRYPTION_TRANSFORM_KEY": "dHVybi10dXJuLXR1cm4tdHVybi10dXJuLXR1cm4tISE=",
}


def ids(found):
    return [each.id for each in found]


def send_mail_by(settings, backend, **options):
    """Let the project send its mail by that backend of Django's, with these options."""
    backend = f"django.core.mail.backends.{backend}.EmailBackend"
    if django.VERSION < (6, 1):
        settings.EMAIL_BACKEND = backend
        for name, value in options.items():
            setattr(settings, f"EMAIL_{name.upper()}", value)
    else:
        settings.MAILERS = {"default": {"BACKEND": backend, "OPTIONS": options}}


def test_site_has_nothing_to_complain_about(settings):
    settings.FACEAUTH = {**KEYS}
    send_mail_by(settings, "smtp")
    assert run_checks() == []


def test_unknown_key_names_the_nearest(only):
    error = only(MAX_DISTNCE=0.3)
    assert error.id == "faceauth.E001"
    assert "MAX_DISTANCE" in error.hint
    with pytest.raises(ImproperlyConfigured, match="MAX_DISTNCE"):
        conf.get()


@pytest.mark.parametrize(
    ("key", "value", "right"),
    [
        *[("MAX_DISTANCE", value, "a positive number or None") for value in ("0.3", True, -1, 0)],
        ("MAX_DISTANCE", math.nan, "a positive number or None"),
        ("MAX_DISTANCE", math.inf, "a positive number or None"),
        ("MAX_FALSE_MATCH_RATE", None, "a positive number"),
        ("MAX_FALSE_MATCH_RATE", 0, "a positive number"),
        ("MAX_FALSE_IDENTIFICATION_RATE", "1e-3", "a positive number"),
        ("LOGIN_FRAMES", 2.5, "a positive whole number"),
        ("THREADS", True, "a positive whole number"),
        ("MAX_CONCURRENT_LOOKS", 0, "a positive whole number or None"),
        ("ADAPT", 1, "True or False"),
        ("FACE_ALONE", "yes", "True or False"),
        ("FACE_ALONE", None, "True or False"),
        ("LOOK_ALIKES", "warn", "'flag', 'refuse' or 'allow'"),
        ("LOOK_ALIKES", ["flag"], "'flag', 'refuse' or 'allow'"),
        ("CALIBRATION", 3, "text or a path or None"),
        ("CHALLENGE", "turns", "'auto', 'short' or 'full' or None"),
        ("ENCODER", ["facenet.onnx"], "a dict or text or None"),
        ("NOTICE_VERSION", 2, "text"),
    ],
)
def test_wrong_value_is_told_what_it_has_to_be(only, key, value, right):
    error = only(**{key: value})
    assert error.id == "faceauth.E002"
    assert error.msg == f"FACEAUTH[{key!r}] is {value!r}, which is not {right}."
    assert right in error.hint
    assert repr(getattr(conf.FaceAuthSettings(), key)) in error.hint


@pytest.mark.parametrize("given", [None, [], "MAX_DISTANCE"])
def test_settings_that_are_no_dict(settings, given):
    settings.FACEAUTH = given
    (error,) = checks.check_settings(None)
    assert error.id == "faceauth.E002"
    assert "which is not a dict" in error.msg
    assert run_checks()


@pytest.mark.parametrize("key", sorted(MAX_PERIODS))
def test_time_that_nobody_can_count_is_an_error(only, key):
    error = only(**{key: MAX_PERIODS[key] + 1})
    assert error.id == "faceauth.E017"
    assert key in error.msg
    assert str(getattr(conf.FaceAuthSettings(), key)) in error.hint


@pytest.mark.parametrize(
    "given",
    [
        {"MAX_DISTANCE": None, "MAX_CONCURRENT_LOOKS": None, "CALIBRATION": None},
        {"THREADS": 2, "MAX_CONCURRENT_LOOKS": 4},
        {"ADAPT": True, "FACE_ALONE": False},
        *[{"LOOK_ALIKES": choice} for choice in ("flag", "refuse", "allow")],
        {"MAX_FALSE_MATCH_RATE": 1e-3, "MAX_FALSE_IDENTIFICATION_RATE": 1e-2},
        {"ENROLMENT_SHOTS": 6, "LOGIN_FRAMES": 1},
    ],
)
def test_right_values_are_passed_over(settings, given):
    settings.FACEAUTH = given
    assert checks.check_settings(None) == []
    assert checks.check_rates(None) == []
    assert checks.check_periods(None) == []


@pytest.mark.parametrize("key", ["MAX_FALSE_MATCH_RATE", "MAX_FALSE_IDENTIFICATION_RATE"])
def test_rate_that_lets_everybody_in_is_an_error(only, key):
    error = only(**{key: 0.11})
    assert error.id == "faceauth.E006"
    assert key in error.msg
    assert only(**{key: 0.1}).id == "faceauth.W002"


@pytest.mark.parametrize(
    "given", [{"ENROLMENT_SHOTS": 7}, {"LOGIN_FRAMES": 7}, {"MAX_SNAPSHOTS": 4}]
)
def test_more_pictures_than_a_request_may_carry_are_an_error(only, given):
    error = only(**given)
    assert error.id == "faceauth.E007"
    assert "MAX_SNAPSHOTS" in error.hint


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("calibration.json", None),
        ("calibration.json", b'{"cells": ['),
        ("calibration.json", b'{"cells": []}'),
        ("calibration.json", b"[1, 2]"),
        ("cohort.npy", None),
        ("cohort.npy", b""),
        ("cohort.npy", b"\x93NUMPY"),
    ],
)
def test_calibration_that_cannot_be_read_is_an_error(only, tmp_path, name, content):
    for each in ("calibration.json", "cohort.npy"):
        shutil.copy(data_file(None, each), tmp_path)
    (tmp_path / name).unlink()
    if content is not None:
        (tmp_path / name).write_bytes(content)
    error = only(CALIBRATION=str(tmp_path))
    assert error.id == "faceauth.E008"
    assert str(tmp_path) in error.msg
    assert "face_evaluate --write" in error.hint
    assert checks.check_people(None, databases=[DEFAULT_DB_ALIAS]) == []


@pytest.mark.parametrize("shape", [(9, 64), (128,)])
def test_cohort_of_something_else_is_an_error(only, tmp_path, shape):
    shutil.copy(data_file(None, "calibration.json"), tmp_path)
    np.save(tmp_path / "cohort.npy", np.ones(shape, np.float32))
    assert only(CALIBRATION=str(tmp_path)).id == "faceauth.E008"


def test_own_calibration_is_passed_over(settings, tmp_path):
    for name in ("calibration.json", "cohort.npy"):
        shutil.copy(data_file(None, name), tmp_path)
    settings.FACEAUTH = {"CALIBRATION": str(tmp_path)}
    assert checks.check_settings(None) == []
    assert checks.check_rates(None) == []


def test_missing_backend(settings):
    settings.AUTHENTICATION_BACKENDS = ["django.contrib.auth.backends.ModelBackend"]
    assert ids(checks.check_user_model(None)) == ["faceauth.E004"]


def test_faces_beside_users_who_have_the_columns_themselves_are_not_looked_at(settings):
    settings.INSTALLED_APPS = [*settings.INSTALLED_APPS, "faceauth.profiles"]
    assert ids(checks.check_user_model(None)) == ["faceauth.W022"]


def test_missing_weights(monkeypatch):
    monkeypatch.setattr(installation, "WEIGHTS", {"gone.dat": ""})
    assert ids(checks.check_networks(None)) == ["faceauth.E005"]


def test_keys_that_hang_on_the_secret_key_are_warned_about(settings):
    settings.FACEAUTH = KEYS
    assert checks.check_keys(None) == []
    for missing in KEYS:
        settings.FACEAUTH = {key: value for key, value in KEYS.items() if key != missing}
        (warning,) = checks.check_keys(None)
        assert warning.id == "faceauth.W007"
        assert warning.msg.startswith(f"FACEAUTH has no {missing}:")
        assert "face_rotate_keys" in warning.hint
        # It comes with every command.
        assert len(warning.msg + warning.hint) < 320


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({**KEYS, "ENCRYPTION_KEYS": [KEY, "too short"]}, "FACEAUTH['ENCRYPTION_KEYS'][1]"),
        ({**KEYS, "ENCRYPTION_TRANSFORM_KEY": "too short"}, "FACEAUTH['ENCRYPTION_TRANSFORM_KEY']"),
    ],
)
def test_malformed_key_is_an_error(settings, given, named):
    settings.FACEAUTH = given
    (error,) = checks.check_keys(None)
    assert error.id == "faceauth.E009"
    assert error.msg.startswith(f"{named} is not a key")
    assert "too short" not in error.msg + error.hint


def test_one_key_for_both_is_an_error(settings):
    settings.FACEAUTH = {"ENCRYPTION_KEYS": [KEY], "ENCRYPTION_TRANSFORM_KEY": KEY}
    assert ids(checks.check_keys(None)) == ["faceauth.E010"]


def test_key_in_the_wrong_place_is_not_repeated(only):
    for given in ({"ENCRYPTION_KEYS": KEY}, {"ENCRYPTION_TRANSFORM_KEY": [KEY]}):
        error = only(**given)
        assert error.id == "faceauth.E002"
        assert KEY not in error.msg + error.hint


@pytest.fixture
def counting(settings):
    """The messages of `check_limits` for these settings."""

    def check(**given):
        settings.FACEAUTH = given
        return checks.check_limits(None)

    return check


@pytest.mark.parametrize(
    ("key", "challenge", "most", "words", "id"),
    [
        ("MAX_FAILURES", "auto", 10, "10 with a defence against photos", "faceauth.W012"),
        ("MAX_FAILURES", None, 5, "5 without a defence against photos", "faceauth.W012"),
        ("MAX_FAILURES_BEFORE_DISABLING", "auto", 100, "100 with a defence", "faceauth.W013"),
        ("MAX_FAILURES_BEFORE_DISABLING", None, 50, "50 without a defence", "faceauth.W013"),
    ],
)
def test_more_failures_than_nist_allows_are_warned_about(counting, key, challenge, most, words, id):
    assert counting(CHALLENGE=challenge) == []
    assert counting(**{"CHALLENGE": challenge, key: most}) == []
    (warning,) = counting(**{"CHALLENGE": challenge, key: most + 1})
    assert warning.id == id
    assert warning.msg.startswith(f"FACEAUTH[{key!r}] of {most + 1} ")
    assert words in warning.msg


def test_visitors_who_share_the_address_of_the_proxy_are_warned_about(counting, settings):
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    assert ids(counting()) == ["faceauth.W015"]
    assert counting(TRUSTED_PROXIES=1) == []


def test_counting_is_not_judged_by_settings_that_are_wrong(counting):
    assert counting(MAX_FAILURES="many") == []


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"CHALLENGE": None}, "a photo of a person logs in as that person"),
        ({"CHALLENGE": "short"}, "makes by chance in 1 of 9 logins"),
        ({"CHALLENGE_AT_ENROLMENT": False}, "can enrol that face"),
    ],
)
def test_face_that_need_not_be_alive_is_warned_about(settings, given, words):
    settings.FACEAUTH = given
    (warning,) = checks.check_challenge(None)
    assert warning.id == "faceauth.W009"
    assert words in warning.msg


def test_face_that_is_enough_on_any_device_is_a_warning_with_the_measured_risk(settings):
    settings.FACEAUTH = {"UNKNOWN_DEVICES": "allow"}
    (warning,) = checks.check_unknown_devices(None)
    assert warning.id == "faceauth.W027"
    assert "19 of 20 people" in warning.msg
    assert "'code'" in warning.hint
    config = conf.get()
    for limit in (config.failures, config.failures_before_disabling):
        assert f"after {limit}" in warning.hint


@pytest.mark.parametrize(
    "given", [{}, {"UNKNOWN_DEVICES": "refuse"}, {"UNKNOWN_DEVICES": "allow", "CHALLENGE": None}]
)
def test_trusted_devices_and_what_another_warning_says_are_passed_over(settings, given):
    settings.FACEAUTH = given
    assert checks.check_unknown_devices(None) == []


@pytest.mark.parametrize("name", ["console", "dummy", "filebased", "locmem"])
def test_codes_that_are_mailed_to_nobody_are_warned_about(settings, name):
    settings.FACEAUTH = {}
    send_mail_by(settings, name)
    (warning,) = checks.check_email(None)
    assert warning.id == "faceauth.W028"
    assert warning.msg.endswith(f".{name}.EmailBackend sends no email.")
    assert "'refuse'" in warning.hint
    # A developer reads the console.
    settings.DEBUG = True
    assert checks.check_email(None) == []


def test_mailers_of_django_6_1(settings):
    settings.FACEAUTH = {}
    del settings.EMAIL_BACKEND  # as there, once there are mailers
    settings.MAILERS = {"default": {"OPTIONS": {"host": "mail.example.com"}}}
    assert checks.check_email(None) == []
    settings.MAILERS = {"default": {"BACKEND": "django.core.mail.backends.smtp.EmailBackend"}}
    assert checks.check_email(None) == []
    settings.MAILERS = {"default": {"BACKEND": "django.core.mail.backends.dummy.EmailBackend"}}
    assert ids(checks.check_email(None)) == ["faceauth.W028"]


@pytest.mark.skipif(django.VERSION >= (6, 1), reason="MAILERS has no default server")
def test_mail_server_that_a_new_project_does_not_have_is_named(settings):
    settings.FACEAUTH = {}
    settings.DEBUG = True
    send_mail_by(settings, "smtp", host="localhost", port=25)
    (info,) = checks.check_email(None)
    assert (info.id, info.is_serious()) == ("faceauth.I003", False)
    assert "console.EmailBackend" in info.hint
    # Somebody has set up this one.
    send_mail_by(settings, "smtp", host="localhost", port=1025)
    assert checks.check_email(None) == []


@pytest.mark.parametrize("choice", ["refuse", "allow"])
def test_sites_without_codes_need_no_mail(settings, choice):
    settings.FACEAUTH = {"UNKNOWN_DEVICES": choice}
    send_mail_by(settings, "dummy")
    assert checks.check_email(None) == []


def test_users_without_addresses_are_warned_about(settings, monkeypatch):
    settings.FACEAUTH = {}
    monkeypatch.setattr(User, "EMAIL_FIELD", "mail")
    (warning,) = checks.check_email(None)
    assert warning.id == "faceauth.W028"
    assert "accounts.User has no field 'mail'" in warning.msg
    assert "User.EMAIL_FIELD" in warning.hint


def test_challenge_as_it_is_by_default_is_passed_over(settings):
    settings.FACEAUTH = {}
    assert checks.check_challenge(None) == []


def test_movements_that_there_is_no_time_for_are_an_error(only):
    assert only(CHALLENGE_SECONDS=8).id == "faceauth.E011"
    slow = only(CHALLENGE_STEP_SECONDS=8)
    assert slow.id == "faceauth.E011"
    assert "need 32 seconds or more" in slow.hint
