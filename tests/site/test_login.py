from __future__ import annotations

import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth import aauthenticate, authenticate
from django.test import Client

from faceauth import views
from faceauth.admin import staff
from tests.site.conftest import JSON, PASSWORD, username_of

LOGIN = "/face/login/"


@pytest.mark.real
def test_face_alone_logs_in_and_greets(client, ask, obama, upload):
    status, answer = ask(LOGIN, snapshot=upload("obama2"))
    assert status == 200
    assert answer["user"] == {"username": "obama"}
    assert "obama" in answer["message"]
    assert username_of(client) == "obama"
    assert "obama" in client.get(answer["next"]).text


@pytest.mark.parametrize(
    ("name", "given", "greeting"),
    [
        ("obama", "", "Welcome back, obama."),
        ("obama", "Barack", "Welcome back, Barack."),
        ("obama2024", "", "Welcome back, obama2024."),
        ("deadbeef", "", "Welcome back, deadbeef."),
        ("someone@example.org", "", "Welcome back, someone."),
        ("7b0c1a2e-0001", "", "Welcome back, barry."),
        ("2f1e7c9a-5e0b-4c11-9d5e-0c5f4a1d2b3c", "", "Welcome back, barry."),
        ("x7Gq0custom", "", "Welcome back, barry."),
        ("4711", "", "Welcome back, barry."),
    ],
)
def test_names_for_machines_greet_nobody(obama, name, given, greeting):
    obama.username, obama.first_name, obama.email = name, given, "barry@example.com"
    assert views.LoginView().greeting(obama) == greeting


def test_without_a_name_the_greeting_names_nobody(obama):
    obama.username, obama.email = "4711", "4711@example.com"
    assert views.LoginView().greeting(obama) == "Welcome back."


def test_login_by_password_invites_once_to_set_up_a_face(client, ask, django_user_model):
    django_user_model.objects.create_user("ada", "ada@example.com", PASSWORD)
    _status, answer = ask(LOGIN, username="ada", password=PASSWORD)
    invitation = '<aside class="faceauth-note faceauth-invitation"'
    page = client.get(answer["next"]).text
    assert invitation in page and 'href="/face/enrol/">Set up face login</a>' in page
    assert invitation not in client.get(answer["next"]).text


def test_people_with_a_face_are_not_invited(client, ask, obama):
    _status, answer = ask(LOGIN, username="obama", password=PASSWORD)
    assert "faceauth-invitation" not in client.get(answer["next"]).text


def test_people_whom_staff_let_not_log_in_by_face_are_not_invited(client, ask, django_user_model):
    ada = django_user_model.objects.create_user("ada", "ada@example.com", PASSWORD)
    staff.disable(None, ada)
    _status, answer = ask(LOGIN, username="ada", password=PASSWORD)
    assert "faceauth-invitation" not in client.get(answer["next"]).text


def test_browser_is_redirected(client, obama, upload):
    response = client.post(LOGIN, {"snapshot": upload("obama2")})
    assert (response.status_code, response["Location"]) == (302, "/accounts/profile/")


@pytest.mark.real
def test_several_frames_of_one_look(client, ask, obama, upload):
    assert ask(LOGIN, snapshot=[upload("obama2"), upload("obama3")])[0] == 200


@pytest.mark.real
def test_username_and_face(client, ask, obama, enrolled, upload):
    enrolled("biden", "biden")
    assert ask(LOGIN, username="obama", snapshot=upload("obama2"))[0] == 200
    client.logout()
    status, answer = ask(LOGIN, username="biden", snapshot=upload("obama2"))
    assert (status, answer["error"]["code"]) == (401, "not_recognised")
    assert username_of(client) is None


def test_among_many_the_right_one(client, ask, obama, enrolled, upload):
    enrolled("biden", "biden")
    enrolled("astronaut", "astronaut")
    assert ask(LOGIN, snapshot=upload("biden"))[1]["user"]["username"] == "biden"


def test_stranger_unknown_name_and_user_without_a_face_hear_the_same(
    client, ask, obama, upload, django_user_model
):
    django_user_model.objects.create_user("faceless", "faceless@example.com", "password")
    answers = [
        ask(LOGIN, username=name, snapshot=upload("biden"))
        for name in ("obama", "faceless", "nobody")
    ]
    assert all(answer == answers[0] for answer in answers)
    status, answer = answers[0]
    assert (status, answer["error"]["code"]) == (401, "not_recognised")
    assert answer["error"]["message"].startswith("We didn’t recognise you. Try again")
    assert username_of(client) is None


def test_face_alone_that_is_unknown_or_ambiguous_is_asked_for_the_username(
    ask, obama, enrolled, upload
):
    unknown = ask(LOGIN, snapshot=upload("biden"))
    assert staff.clear_flag(enrolled("twin", "obama", "obama3", "obama up"))
    assert ask(LOGIN, snapshot=upload("obama2")) == unknown
    status, answer = unknown
    assert (status, answer["error"]["code"]) == (401, "not_recognised")
    assert "Enter your username or email as well" in answer["error"]["message"]


def test_nobody_enrolled(db, ask, upload):
    assert ask(LOGIN, snapshot=upload("obama"))[0] == 401


def test_inactive_users_are_refused(client, ask, obama, upload):
    obama.is_active = False
    obama.save()
    for name in ("", "obama"):
        assert ask(LOGIN, username=name, snapshot=upload("obama"))[0] == 401
    assert username_of(client) is None


def test_deactivated_user_loses_the_session(client, ask, obama, upload):
    ask(LOGIN, snapshot=upload("obama"))
    assert client.get("/members/").status_code == 200
    obama.refresh_from_db()
    obama.is_active = False
    obama.save()
    assert client.get("/members/").status_code == 302


def test_two_accounts_of_one_face_are_refused_without_a_name(ask, obama, enrolled, upload):
    assert staff.clear_flag(enrolled("twin", "obama", "obama3", "obama up"))
    assert ask(LOGIN, snapshot=upload("obama2"))[0] == 401
    assert ask(LOGIN, username="twin", snapshot=upload("obama2"))[0] == 200


def test_two_people_in_the_frames_are_no_one(ask, obama, upload):
    status, _ = ask(LOGIN, snapshot=[upload("obama2"), upload("biden"), upload("biden")])
    assert status == 401


@pytest.mark.postgres
def test_session_key_is_cycled_and_use_is_noted(client, ask, obama, upload):
    client.get(LOGIN)
    session = client.session
    session["basket"] = "kept"
    session.save()
    before = session.session_key
    ask(LOGIN, snapshot=upload("obama"))
    assert client.session.session_key != before
    assert client.session["basket"] == "kept"
    obama.refresh_from_db()
    assert obama.face_last_used_at is not None


def test_password_login_in_the_same_place(client, ask, django_user_model):
    django_user_model.objects.create_user("ada", "ada@example.com", PASSWORD)
    status, answer = ask(LOGIN, username="ada", password="wrong")
    assert (status, answer["error"]["code"]) == (401, "not_recognised")
    assert username_of(client) is None
    assert ask(LOGIN, username="ada", password=PASSWORD)[0] == 200
    assert username_of(client) == "ada"
    assert django_user_model.objects.get().face_last_used_at is None


def test_wrong_password_shows_the_page_again_with_the_name(client, db):
    response = client.post(LOGIN, {"username": "ada", "password": "wrong"})
    assert response.status_code == 401
    assert 'value="ada"' in response.text


def test_who_is_logged_in_already_can_go_on_or_change_over(client, ask, obama, enrolled, upload):
    enrolled("biden", "biden")
    ask(LOGIN, snapshot=upload("obama"))
    assert '<a href="/accounts/profile/">continue</a>' in client.get(LOGIN).text
    assert ask(LOGIN, snapshot=upload("biden"))[1]["user"]["username"] == "biden"
    assert username_of(client) == "biden"


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("/members/", "/members/"),
        ("https://evil.example/", "/accounts/profile/"),
        ("//evil.example/", "/accounts/profile/"),
        ("javascript:alert(1)", "/accounts/profile/"),
    ],
)
def test_next_leads_to_this_site_only(ask, obama, upload, url, target):
    assert ask(LOGIN, next=url, snapshot=upload("obama"))[1]["next"] == target


def test_forged_requests_are_refused(obama, upload):
    client = Client(enforce_csrf_checks=True)
    for path in (LOGIN, "/face/frames/", "/face/enrol/", "/accounts/signup/"):
        pictures = {"snapshot": upload("obama")} if path in (LOGIN, "/face/frames/") else {}
        response = client.post(path, pictures, headers=JSON)
        assert response.status_code == 403
        assert response.json()["error"]["code"] == "csrf_failed"
    assert client.post(LOGIN, {"snapshot": upload("obama")}).status_code == 403
    client.get(LOGIN)
    token = client.cookies["csrftoken"].value
    data = {"snapshot": upload("obama"), "csrfmiddlewaretoken": token}
    assert client.post(LOGIN, data).status_code == 302


def test_authenticate_takes_bytes_files_and_lists(obama, faces, upload):
    for snapshot in (faces["obama2"], upload("obama2"), [faces["obama2"], upload("obama3")]):
        assert authenticate(None, snapshot=snapshot) == obama
        assert authenticate(None, snapshot=iter([faces["obama2"]]), username="obama") == obama
    assert authenticate(None, snapshot=b"no picture") is None
    assert authenticate(None, snapshot=[]) is None
    assert authenticate(None, username="obama", password="") is None


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_async_views_can_authenticate(enrolled, faces):
    obama = enrolled("obama", "obama")
    assert async_to_sync(aauthenticate)(None, snapshot=faces["obama2"]) == obama
    assert async_to_sync(aauthenticate)(None, snapshot=faces["biden"]) is None


def test_what_receivers_of_the_failure_hear_shows_no_pixels(ask, obama, upload):
    from django.contrib.auth.signals import user_login_failed

    heard = []
    receiver = heard.append

    def listen(credentials, **kwargs):
        receiver(repr(credentials))

    user_login_failed.connect(listen)
    try:
        ask(LOGIN, snapshot=upload("biden"))
    finally:
        user_login_failed.disconnect(listen)
    assert len(heard) == 1
    assert len(heard[0]) < 200
