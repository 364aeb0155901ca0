"""Check messages about rates, in numbers of people."""

from __future__ import annotations

from io import StringIO

import numpy as np
import pytest
from django.core.checks import run_checks
from django.core.management import call_command
from django.db import DEFAULT_DB_ALIAS, OperationalError, connection

from accounts.models import User
from faceauth import checks
from faceauth.checks import accuracy
from faceauth.recognition import policy
from faceauth.recognition.calibration import calibration
from tests.unit.test_checks import ids


def people_check():
    return checks.check_people(None, databases=[DEFAULT_DB_ALIAS])


@pytest.fixture
def enrolled(db):
    """Return a function that enrols people and creates as many users without a face."""

    def enrol(count):
        random = np.random.default_rng(count)
        for number in range(2 * count):
            user = User.objects.create(username=f"user{number}", email=f"{number}@example.com")
            if number % 2:
                user.face_encodings = random.normal(size=(1, 128)).astype(np.float32)
                user.save()

    return enrol


def test_distance_set_by_hand_is_told_what_it_amounts_to(only):
    warning = only(MAX_DISTANCE=0.35)
    rate = calibration().at_distance(5, 3, 0.35).rate
    single = calibration().at_distance(1, 1, 0.35).rate
    assert warning.id == "faceauth.W001"
    assert f"{accuracy._odds(rate)} of all strangers" in warning.msg
    assert "5 pictures enrolled and 3 shown" in warning.msg
    assert f"{accuracy._odds(single)} with one picture each" in warning.msg
    assert f"100 people enrolled, {100 * (1 - (1 - rate) ** 100):.0f} %" in warning.msg
    assert "Leave it out" in warning.hint


def test_distance_set_by_hand_is_held_against_the_rate_that_it_replaces(only):
    assert "is laxer than" in only(MAX_DISTANCE=0.35).msg
    assert "is no laxer than" in only(MAX_DISTANCE=0.2).msg
    assert "is no laxer than" in only(MAX_DISTANCE=0.35, MAX_FALSE_MATCH_RATE=0.1).msg


def test_distance_of_face_recognition_lets_nearly_everybody_in(only):
    message = only(MAX_DISTANCE=0.6).msg
    assert "100 people enrolled, 100 %" in message
    assert "is laxer than" in message


@pytest.mark.parametrize(
    ("key", "rate", "often"),
    [
        ("MAX_FALSE_MATCH_RATE", 2e-3, "1 in 500"),
        ("MAX_FALSE_IDENTIFICATION_RATE", 0.025, "1 in 40"),
    ],
)
def test_unsafe_rate_is_warned_about(only, key, rate, often):
    warning = only(**{key: rate})
    assert warning.id == "faceauth.W002"
    assert f"FACEAUTH[{key!r}] of {rate} accepts {often} of all strangers" in warning.msg
    assert "1 in 10,000" in warning.hint


def test_rate_that_nobody_measured_is_told_how_far_it_was(only):
    warning = only(MAX_FALSE_MATCH_RATE=1e-9)
    curve, limit = calibration().curves[5, 1], policy.limit(5, 1, 1e-9)
    assert warning.id == "faceauth.W003"
    assert "'MAX_FALSE_MATCH_RATE'] is 1 in 1,000,000,000" in warning.msg
    assert f"measured down to {accuracy._odds(curve.measured_to)}" in warning.msg
    assert f"{curve.pairs:,} pairs" in warning.msg
    assert f"{limit.distance:.3f}" in warning.msg
    assert f"{100 * limit.fnmr:.0f} % of enrolled users would be refused" in warning.msg


def test_rate_of_face_alone_matters_only_where_that_is_allowed(only, settings):
    given = {"MAX_FALSE_IDENTIFICATION_RATE": 0.05}
    assert "MAX_FALSE_IDENTIFICATION_RATE" in only(**given).msg
    settings.FACEAUTH = {**given, "FACE_ALONE": False}
    assert checks.check_rates(None) == []


def test_few_people_face_alone_are_passed_over(enrolled):
    assert people_check() == []
    enrolled(3)
    assert people_check() == []


def test_more_people_than_the_rate_allows_are_told_who_is_refused(enrolled, settings):
    settings.FACEAUTH = {"MAX_FALSE_IDENTIFICATION_RATE": 1e-6}
    enrolled(10)
    (warning,) = people_check()
    refused = policy.limit(5, 1, 1e-7).fnmr
    assert warning.id == "faceauth.W004"
    assert "10 people enrolled, at a rate of 1 in 1,000,000" in warning.msg
    assert "needs a false-match rate of 1 in 10,000,000" in warning.msg
    assert f"About {100 * refused:.0f} % of enrolled users would be refused" in warning.msg
    assert "username" in warning.hint
    assert "FACE_ALONE" in warning.hint
    assert "ENROLMENT_SHOTS" in warning.hint


def test_one_picture_each_refuses_many_among_ten(enrolled, settings):
    settings.FACEAUTH = {"ENROLMENT_SHOTS": 1, "LOGIN_FRAMES": 1}
    enrolled(10)
    (warning,) = people_check()
    assert warning.id == "faceauth.W004"
    assert "measured" not in warning.msg


def test_more_people_than_the_table_was_measured_for_are_told_so():
    curve = calibration().curves[5, 1]
    enough = round(1e-3 / curve.measured_to)
    assert ids(accuracy.face_alone_warnings(max(enough // 2, 1))) == []
    (warning,) = accuracy.face_alone_warnings(enough * 2)
    assert warning.id == "faceauth.I001"
    assert f"measured down to {accuracy._odds(curve.measured_to)}" in warning.msg
    assert "face_evaluate --write" in warning.hint


def test_crowds_are_no_matter_where_a_username_is_asked_for(enrolled, settings):
    settings.FACEAUTH = {"MAX_FALSE_IDENTIFICATION_RATE": 1e-6, "FACE_ALONE": False}
    enrolled(10)
    assert people_check() == []


def test_distance_set_by_hand_is_told_what_it_amounts_to_among_all_people(enrolled, settings):
    settings.FACEAUTH = {"MAX_DISTANCE": 0.35}
    enrolled(10)
    (warning,) = people_check()
    anybody = 1 - (1 - calibration().at_distance(5, 1, 0.35).rate) ** 10
    assert warning.id == "faceauth.W006"
    assert f"10 people enrolled, accepts about {accuracy._odds(anybody)}" in warning.msg
    settings.FACEAUTH = {"MAX_DISTANCE": 0.2}
    assert people_check() == []


def test_database_is_asked_only_on_demand(enrolled, settings, django_assert_num_queries):
    settings.FACEAUTH = {"MAX_FALSE_IDENTIFICATION_RATE": 1e-6}
    enrolled(10)
    run_checks()  # Django's own ask once what the database can do
    with django_assert_num_queries(0):
        assert "faceauth.W004" not in ids(run_checks())
        assert checks.check_people(None, databases=["other"]) == []
    output = StringIO()
    call_command("check", databases=[DEFAULT_DB_ALIAS], stderr=output)
    assert "faceauth.W004" in output.getvalue()


@pytest.mark.django_db
def test_table_that_is_not_there_yet_is_no_matter(monkeypatch):
    monkeypatch.setattr(User._meta, "db_table", "not_there_yet")
    assert people_check() == []


@pytest.mark.django_db
def test_database_that_is_down_is_no_matter():
    def down(*args):
        raise OperationalError("could not connect")

    with connection.execute_wrapper(down):
        assert people_check() == []


@pytest.mark.parametrize(
    ("rate", "words"),
    [
        (0, "0 %"),
        (1, "100 %"),
        (0.463, "46 %"),
        (1e-4, "1 in 10,000"),
        (1 / 2345, "1 in 2,300"),
        (1 / 12.4, "1 in 12"),
    ],
)
def test_rates_are_said_in_two_digits(rate, words):
    assert accuracy._odds(rate) == words
