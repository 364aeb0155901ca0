"""What people agree to who enrol, and the notice that says what it is."""

from __future__ import annotations

import pytest
from django.utils import timezone

from accounts.models import User
from faceauth import enrolment
from faceauth.enrolment import Consent
from tests.site.conftest import JSON, PASSWORD, username_of
from tests.support.accounts import log_in_by_face
from tests.support.people import OBAMA

LOGIN, ENROL, REMOVE = "/face/login/", "/face/enrol/", "/face/remove/"
EXPORT, NOTICE, PROFILE = "/face/export/", "/face/notice/", "/accounts/profile/"


@pytest.fixture
def enrol(client, upload):
    def post(consent="on", **extra):
        form = {"consent": consent, "snapshot": [upload(name) for name in OBAMA]}
        return client.post(ENROL, form, headers=JSON, **extra)

    return post


def test_consent_is_recorded_with_version_time_and_network(client, upload, db, settings):
    settings.FACEAUTH = {**settings.FACEAUTH, "NOTICE_VERSION": "2026-11"}
    before = timezone.now()
    form = {"username": "eve", "email": "eve@example.com", "consent": "on"}
    shots = [upload(name) for name in OBAMA]
    client.post("/signup/", {**form, "snapshot": shots}, REMOTE_ADDR="198.51.100.7", headers=JSON)
    eve = User.objects.get()
    assert eve.has_face
    assert (eve.face_consent_version, eve.face_consent_from) == ("2026-11", "198.51.100.0/24")
    assert before <= eve.face_consented_at <= eve.face_enrolled_at


def test_consent_is_given_anew_with_each_enrolment(client, obama, enrol, settings):
    settings.FACEAUTH = {**settings.FACEAUTH, "NOTICE_VERSION": "2"}
    first = obama.face_consented_at
    assert (obama.face_consent_version, obama.face_consent_from) == ("1", "")
    log_in_by_face(client, obama)
    assert enrol("2", REMOTE_ADDR="2001:db8:1:2::3").status_code == 200
    obama.refresh_from_db()
    assert (obama.face_consent_version, obama.face_consent_from) == ("2", "2001:db8:1::/48")
    assert obama.face_consented_at > first


def test_nobody_agrees_to_a_notice_that_came_after_the_page(client, obama, enrol, settings):
    settings.FACEAUTH = {**settings.FACEAUTH, "NOTICE_VERSION": "2"}
    log_in_by_face(client, obama)
    assert 'value="2"' in client.get(ENROL).text
    answer = enrol("1")
    assert answer.status_code == 400
    assert "consent" in answer.json()["error"]["fields"]
    obama.refresh_from_db()
    assert obama.face_consent_version == "1"


def test_consent_goes_with_the_face(client, obama):
    log_in_by_face(client, obama)
    client.post(REMOVE)
    obama.refresh_from_db()
    assert obama.face_consented_at is None
    assert (obama.face_consent_version, obama.face_consent_from) == ("", "")


def test_who_agreed_to_an_earlier_notice_is_told_and_still_logs_in(client, obama, upload, settings):
    settings.FACEAUTH = {**settings.FACEAUTH, "NOTICE_VERSION": "2"}
    client.post(LOGIN, {"snapshot": upload("obama2")})
    assert username_of(client) == "obama"
    page = client.get(PROFILE).text
    assert "has changed since you agreed to it" in page
    assert "to version 1 of the notice" in page
    assert "has changed since you agreed to it" in client.get(ENROL).text
    assert "This notice has changed" in client.get(NOTICE).text


def test_agreeing_anew_records_the_new_consent_and_ends_the_asking(client, obama, settings):
    settings.FACEAUTH = {**settings.FACEAUTH, "NOTICE_VERSION": "2"}
    log_in_by_face(client, obama)
    answer = client.post(NOTICE, {"version": "2"}, REMOTE_ADDR="198.51.100.7", follow=True)
    assert "You have agreed to the new notice" in answer.text
    assert "has changed" not in answer.text
    obama.refresh_from_db()
    assert obama.has_face
    assert (obama.face_consent_version, obama.face_consent_from) == ("2", "198.51.100.0/24")
    assert "This notice has changed" not in client.get(NOTICE).text


def test_agreeing_to_what_one_has_not_seen_shows_it_first(client, obama, settings):
    settings.FACEAUTH = {**settings.FACEAUTH, "NOTICE_VERSION": "3"}
    log_in_by_face(client, obama)
    assert client.post(NOTICE, {"version": "2"})["Location"] == NOTICE
    obama.refresh_from_db()
    assert obama.face_consent_version == "1"


def test_without_a_face_there_is_nothing_to_agree_to(client, django_user_model):
    ada = django_user_model.objects.create_user("ada", "ada@example.com", PASSWORD)
    client.force_login(ada)
    client.post(NOTICE, {"version": "1"})
    ada.refresh_from_db()
    assert ada.face_consented_at is None
    assert not enrolment.agree(ada, Consent("1"))


# The notice


def test_notice_is_public_and_says_what_the_settings_do(client, db, settings):
    settings.FACEAUTH = {
        **settings.FACEAUTH,
        "CHALLENGE": "auto",
        "ENROLMENT_SHOTS": 4,
        "KEEP_UNUSED_FACES_DAYS": 111,
        "KEEP_EVENTS_DAYS": 22,
        "TRUSTED_DEVICE_DAYS": 33,
        "UNKNOWN_DEVICES": "code",
        "SITE_NAME": "The Reading Room",
        "NOTICE_VERSION": "7b",
    }
    page = " ".join(client.get(NOTICE).text.split())
    for words in (
        "Your face on The Reading Room",
        "each of the 4 pictures",
        "log in with your face for 111 days, it is removed automatically",
        "Kept for 22 days",
        "on it for 33 days",
        "Codes that we email",
        "What the camera shows before you log in",
        "your last 50 logins",
        "Version 7b",
    ):
        assert words in page
    for url in (EXPORT, REMOVE, LOGIN):
        assert f'href="{url}"' in page


def test_notice_promises_nothing_that_is_not_so(client, db, settings):
    settings.FACEAUTH = {
        **settings.FACEAUTH,
        "KEEP_UNUSED_FACES_DAYS": None,
        "KEEP_EVENTS_DAYS": None,
        "NOTIFY_BY_MAIL": False,
        "LOOK_ALIKES": "allow",
    }
    page = client.get(NOTICE).text
    assert "as long as this site exists" in page
    for words in (
        "removed automatically",
        "What the camera shows",
        "your last 50 logins",
        "notified by email",
        "so similar to",
    ):
        assert words not in page


def test_every_page_and_the_consent_lead_to_the_notice(client, obama):
    link = f'href="{NOTICE}"'
    assert client.get("/").text.count(link) == 1  # the footer's
    assert client.get("/signup/").text.count(link) == 2
    log_in_by_face(client, obama)
    assert client.get(ENROL).text.count(link) == 2
    assert client.get(PROFILE).text.count(link) == 2
