from __future__ import annotations

import pytest
from django.core import signing
from django.test import Client
from faceauth.devices.remembered import COOKIE

from tests.site.conftest import JSON, PASSWORD, log_out, username_of

pytestmark = pytest.mark.postgres

LOGIN, FORGET = "/face/login/", "/face/forget/"


@pytest.fixture
def biden(enrolled):
    return enrolled("biden", "biden", password=PASSWORD)


@pytest.fixture
def remembered(client):
    """Whom the login page greets in this browser."""

    def read():
        log_out(client)
        return client.get(LOGIN).context["remembered"]

    return read


def test_login_by_face_is_remembered_where_asked_for(ask, obama, upload, remembered):
    ask(LOGIN, snapshot=upload("obama2"))
    assert remembered() is None
    ask(LOGIN, snapshot=upload("obama2"), remember="on")
    assert remembered() == "obama"


def test_login_by_password_is_remembered_where_asked_for(ask, obama, remembered):
    form = {"username": "obama", "password": PASSWORD}
    ask(LOGIN, **form)
    assert remembered() is None
    ask(LOGIN, **form, remember="on")
    assert remembered() == "obama"


def test_refused_login_is_not_remembered(ask, obama, upload, remembered):
    ask(LOGIN, username="obama", snapshot=upload("biden"), remember="on")
    ask(LOGIN, username="obama", password="wrong", remember="on")
    assert remembered() is None


def test_face_is_compared_with_the_remembered_user_only(
    client, ask, obama, biden, enrolled, upload
):
    enrolled("twin", "obama", "obama3")
    assert ask(LOGIN, snapshot=upload("obama2"))[0] == 401
    ask(LOGIN, username="obama", snapshot=upload("obama2"), remember="on")
    log_out(client)
    assert ask(LOGIN, snapshot=upload("obama2"))[1]["user"]["username"] == "obama"
    log_out(client)
    status, answer = ask(LOGIN, snapshot=upload("biden"))
    assert status == 401
    assert answer["error"]["message"].startswith("We didn’t recognise you. Try again")
    assert username_of(client) is None
    assert ask(LOGIN, username="biden", snapshot=upload("biden"))[0] == 200


def test_name_of_any_alphabet_is_remembered(ask, enrolled, upload, remembered):
    enrolled("обама", "obama")
    assert ask(LOGIN, snapshot=upload("obama2"), remember="on")[0] == 200
    assert remembered() == "обама"


def test_login_of_another_user_on_a_shared_device_is_its_last_or_its_new_one(
    ask, obama, biden, upload, remembered
):
    ask(LOGIN, snapshot=upload("obama2"), remember="on")
    ask(LOGIN, snapshot=upload("obama2"))
    assert remembered() == "obama"
    ask(LOGIN, username="biden", password=PASSWORD, remember="on")
    assert remembered() == "biden"
    ask(LOGIN, username="obama", snapshot=upload("obama2"))
    assert remembered() is None


def test_cookie_is_out_of_reach_of_scripts_and_other_sites(client, obama, upload, settings):
    settings.SESSION_COOKIE_SECURE = True
    settings.SESSION_COOKIE_PATH = "/face/"
    settings.FACEAUTH = {**settings.FACEAUTH, "TRUSTED_DEVICE_DAYS": 2}
    client.post(LOGIN, {"snapshot": upload("obama2"), "remember": "on"})
    cookie = client.cookies[COOKIE]
    assert cookie["httponly"] and cookie["secure"]
    assert (cookie["samesite"], cookie["path"]) == ("Lax", "/face/")
    assert cookie["max-age"] == 2 * 24 * 60 * 60


@pytest.mark.parametrize(
    "value",
    [
        "",
        "obama",
        signing.dumps("obama"),
        signing.dumps("obama", salt="faceauth.devices", key="another site's key"),
        signing.dumps(["obama"], salt="faceauth.devices"),
        signing.dumps("obama", salt="faceauth.devices") + "x",
    ],
    ids=["empty", "plain", "other purpose", "other site", "no name", "tampered with"],
)
def test_forged_cookie_is_nobody(client, db, value):
    client.cookies[COOKIE] = value
    assert client.get(LOGIN).context["remembered"] is None


def test_old_cookie_is_nobody(client, obama, upload, settings, monkeypatch):
    client.post(LOGIN, {"snapshot": upload("obama2"), "remember": "on"})
    log_out(client)
    later = signing.time.time() + 91 * 24 * 60 * 60
    monkeypatch.setattr(signing.time, "time", lambda: later)
    assert client.get(LOGIN).context["remembered"] is None


def test_remembered_user_who_cannot_log_in_hears_the_same_as_a_stranger(
    client, ask, obama, biden, upload
):
    ask(LOGIN, snapshot=upload("obama2"), remember="on")
    log_out(client)
    stranger = ask(LOGIN, snapshot=upload("biden"))
    obama.is_active = False
    obama.save()
    assert ask(LOGIN, snapshot=upload("obama2")) == stranger
    obama.delete()
    assert ask(LOGIN, snapshot=upload("obama2")) == stranger


def test_forgetting_leads_back_to_the_login_page(client, ask, obama, upload, remembered):
    for target, location in (
        ("", LOGIN),
        ("/members/", f"{LOGIN}?next=/members/"),
        ("https://evil.example/", LOGIN),
    ):
        ask(LOGIN, snapshot=upload("obama2"), remember="on")
        assert remembered() == "obama"
        assert client.post(FORGET, {"next": target})["Location"] == location
        assert remembered() is None


def test_forgetting_takes_a_form_of_this_site(client, db):
    assert client.get(FORGET).status_code == 405
    forged = Client(enforce_csrf_checks=True).post(FORGET, headers=JSON)
    assert (forged.status_code, forged.json()["error"]["code"]) == (403, "csrf_failed")


def test_site_that_wants_a_name_asks_for_it_before_it_looks(
    client, ask, obama, upload, settings, monkeypatch
):
    settings.FACEAUTH = {**settings.FACEAUTH, "FACE_ALONE": False}
    assert client.get(LOGIN).context["face_alone"] is False
    with monkeypatch.context() as blind:
        blind.setattr("faceauth.capture.samples.analyse", pytest.fail)
        status, answer = ask(LOGIN, snapshot=upload("obama2"))
    assert (status, answer["error"]["code"]) == (400, "username_needed")
    assert answer["error"]["fields"] == {"username": ["Enter your username as well."]}
    assert ask(LOGIN, username="obama", snapshot=upload("obama2"), remember="on")[0] == 200
    log_out(client)
    assert ask(LOGIN, snapshot=upload("obama2"))[0] == 200
