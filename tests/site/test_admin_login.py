"""Staff log in to the admin by face, or by password and then by face."""

from __future__ import annotations

import re

import pytest
import time_machine
from django.contrib import admin
from django.contrib.admin.sites import AdminSite
from django.core import checks
from django.test import Client
from django.utils import timezone

from accounts.models import User
from faceauth.admin_site import FaceAdminSite
from faceauth.models import FaceEvent, FailureCount
from faceauth.step_up import second_step
from tests.site.conftest import JSON, PASSWORD, username_of
from tests.support.admin import member
from tests.support.people import OBAMA
from tests.support.person import converse

LOGIN, FACE, INSIDE = "/admin/login/", "/admin/login/face/", "/admin/"


@pytest.fixture
def boss(obama):
    """A superuser with Obama's face."""
    User.objects.filter(pk=obama.pk).update(is_staff=True, is_superuser=True)
    obama.refresh_from_db()
    return obama


@pytest.fixture
def two_steps(settings):
    settings.FACEAUTH = {**settings.FACEAUTH, "ADMIN_SECOND_STEP": True}


@pytest.fixture
def give_password(client):
    def post(username="obama", password=PASSWORD, **more):
        return client.post(LOGIN, {"username": username, "password": password, **more})

    return post


def code(answer):
    return answer[1]["error"]["code"]


# By face alone


@pytest.mark.real
def test_staff_come_in_by_face(client, boss, ask, upload):
    page = client.get(INSIDE, follow=True)
    assert f'href="{FACE}?next=/admin/"' in page.text
    status, answer = ask(FACE, snapshot=upload("obama2"), next="/admin/accounts/user/")
    assert (status, answer["next"]) == (200, "/admin/accounts/user/")
    assert client.get("/admin/accounts/user/").status_code == 200
    event = FaceEvent.objects.get()
    assert (event.kind, event.mode, event.user) == ("login", "alone", boss)
    assert client.get(FACE)["Location"] == INSIDE


def test_without_javascript_as_well(client, boss, upload):
    response = client.post(FACE, {"snapshot": upload("obama2")})
    assert response["Location"] == INSIDE
    response = client.post(FACE, {"snapshot": upload("obama2"), "next": "https://evil.example/"})
    assert response["Location"] == INSIDE


def test_who_is_not_staff_hears_what_a_stranger_hears(client, obama, ask, upload):
    stranger = ask(FACE, snapshot=upload("biden"))
    recognised = ask(FACE, snapshot=upload("obama2"))
    assert stranger == recognised
    assert stranger[0] == 401
    assert username_of(client) is None
    assert list(FaceEvent.objects.order_by("pk").values_list("kind", "outcome", "user")) == [
        ("refused", "too_far", None),
        ("refused", "not_staff", obama.pk),
    ]
    named = [
        ask(FACE, username=name, snapshot=upload(photo))
        for name, photo in (("obama", "obama2"), ("nobody", "obama2"), ("obama", "biden"))
    ]
    assert named[0] == named[1] == named[2]


def test_attempts_count_as_on_the_site(boss, ask, upload, settings):
    settings.FACEAUTH = {**settings.FACEAUTH, "MAX_FAILURES": 2}
    for page in (FACE, "/face/login/"):
        assert ask(page, username="obama", snapshot=upload("biden"))[0] == 401
    assert ask(FACE, username="obama", snapshot=upload("obama2"))[0] == 429


def test_somebody_else_on_the_site_may_still_come_in(client, boss, ask, upload):
    client.force_login(member("eve"))
    assert client.get(FACE).status_code == 200
    assert ask(FACE, snapshot=upload("obama2"))[0] == 200
    assert username_of(client) == "obama"


def test_page_takes_the_challenge(client, boss, ask, upload, settings):
    settings.FACEAUTH = {**settings.FACEAUTH, "CHALLENGE": "auto"}
    assert 'data-purpose="login"' in client.get(FACE).text
    assert code(ask(FACE, snapshot=upload("obama"))) == "challenge_failed"
    status, answer = ask(FACE, challenge=converse(client))
    assert status == 200, answer


# By password, then by face


def test_password_alone_logs_nobody_in(client, boss, two_steps, give_password):
    response = give_password(next="/admin/accounts/user/")
    assert response["Location"] == f"{FACE}?next=%2Fadmin%2Faccounts%2Fuser%2F"
    assert username_of(client) is None
    assert client.get("/accounts/profile/").status_code == 302
    assert client.get(INSIDE).status_code == 302
    page = client.get(response["Location"])
    assert "Your password is correct, obama." in page.text
    assert 'name="username"' not in page.text


@pytest.mark.parametrize("on_the_site", [None, "eve", "obama"])
def test_second_step_takes_the_challenge(
    client, boss, two_steps, give_password, ask, settings, on_the_site
):
    """Whoever is logged in on the site meanwhile."""
    settings.FACEAUTH = {**settings.FACEAUTH, "CHALLENGE": "auto"}
    if on_the_site:
        client.force_login(boss if on_the_site == "obama" else member(on_the_site))
    give_password()
    purpose = re.search('data-purpose="(.*?)"', client.get(FACE).text)[1]
    status, answer = ask(FACE, challenge=converse(client, purpose=purpose))
    assert status == 200, answer
    assert username_of(client) == "obama"
    assert client.get(INSIDE).status_code == 200


def test_password_then_face_opens_the_admin(client, boss, two_steps, give_password, ask, upload):
    give_password()
    status, answer = ask(FACE, snapshot=upload("obama2"), next="")
    assert (status, answer["next"]) == (200, INSIDE)
    assert client.get(INSIDE).status_code == 200
    assert FaceEvent.objects.get().mode == "username"
    client.post("/admin/logout/")
    assert client.get(INSIDE).status_code == 302
    assert ask_is_redirected(client, upload)


def ask_is_redirected(client, upload):
    response = client.post(FACE, {"snapshot": upload("obama2")}, headers=JSON)
    return response["Location"] == LOGIN and username_of(client) is None


def test_face_is_that_of_who_gave_the_password(
    client, boss, two_steps, give_password, ask, upload, enrolled
):
    enrolled("biden", "biden", is_staff=True)
    give_password()
    for name in ({}, {"username": "biden"}):
        status, answer = ask(FACE, snapshot=upload("biden"), **name)
        assert status == 401
        assert "password" not in answer["error"]["message"]
    assert username_of(client) is None
    assert FaceEvent.objects.filter(user=boss, outcome="too_far").count() == 2


def test_face_without_the_password_leads_back_to_it(client, boss, two_steps, upload):
    assert client.get(FACE)["Location"] == LOGIN
    assert ask_is_redirected(client, upload)


def test_password_counts_for_a_while_only(client, boss, two_steps, give_password, upload):
    with time_machine.travel(timezone.now(), tick=False) as clock:
        give_password()
        clock.shift(second_step.SECONDS + 1)
        assert ask_is_redirected(client, upload)


def test_password_that_changed_meanwhile_counts_no_more(
    client, boss, two_steps, give_password, upload
):
    give_password()
    boss.set_password("another engine")
    boss.save()
    assert ask_is_redirected(client, upload)


def test_sessions_that_began_with_one_of_the_two_do_not_do(client, boss, two_steps, ask, upload):
    ask("/face/login/", snapshot=upload("obama2"))
    assert username_of(client) == "obama"
    page = client.get(INSIDE, follow=True)
    assert page.redirect_chain[-1][0] == f"{LOGIN}?next=/admin/"
    assert "not authorized" not in page.text
    client.logout()
    ask("/face/login/", username="obama", password=PASSWORD)
    assert client.get(INSIDE).status_code == 302


def test_wrong_password_and_who_is_not_staff(client, boss, two_steps, give_password, db):
    member("eve", 1)
    for response in (give_password(password="wrong"), give_password("eve")):
        assert response.status_code == 200
        assert "Please enter the correct username and password for a staff account" in response.text
    assert client.get(FACE)["Location"] == LOGIN


def test_staff_without_a_face_are_told_where_to_enrol(client, two_steps, give_password, db):
    User.objects.create_superuser("eve", "eve@example.com", PASSWORD)
    response = give_password("eve")
    assert "you have no face enrolled" in response.text
    assert client.get(FACE)["Location"] == LOGIN


def test_session_key_changes_with_the_first_step(client, boss, two_steps, give_password):
    client.get("/face/login/")
    session = client.session
    session["something"] = 1
    session.save()
    client.cookies["sessionid"] = session.session_key
    give_password()
    assert client.session.session_key != session.session_key


def test_password_alone_neither_exchanges_the_face_nor_removes_it(
    client, boss, two_steps, ask, upload, give_password
):
    ask("/face/login/", username="obama", password=PASSWORD)
    shots = [upload(name) for name in OBAMA]
    assert code(ask("/face/enrol/", consent="on", snapshot=shots)) == "face_needed"
    assert client.get("/face/enrol/").status_code == 403
    assert client.post("/face/remove/").status_code == 403
    boss.refresh_from_db()
    assert boss.face_shots == 3
    give_password()
    ask(FACE, snapshot=upload("obama2"))
    assert ask("/face/enrol/", consent="on", snapshot=[upload(name) for name in OBAMA])[0] == 200


def test_session_that_a_face_began_exchanges_it(client, boss, two_steps, ask, upload):
    ask("/face/login/", snapshot=upload("obama2"))
    assert client.get("/face/enrol/").status_code == 200


def test_password_alone_verifies_nobody(client, boss, two_steps, ask, upload, give_password):
    ask("/face/login/", username="obama", password=PASSWORD)
    question = {"username": "obama", "snapshot": upload("obama3")}
    status, answer = ask("/face/verify/", **question)
    assert (status, answer["error"]["code"]) == (403, "second_step_needed")
    give_password()
    ask(FACE, snapshot=upload("obama2"))
    question = {"username": "obama", "snapshot": upload("obama3")}
    assert ask("/face/verify/", **question) == (200, {"verified": True})


def test_password_alone_takes_no_encodings_along(client, boss, two_steps, ask, upload):
    ask("/face/login/", username="obama", password=PASSWORD)
    assert client.get("/face/export/").status_code == 403
    ask("/face/confirm/", snapshot=upload("obama2"))
    assert client.get("/face/export/").json()["face"]["encodings"]


def test_stranger_who_knows_the_name_keeps_no_staff_out(
    boss, two_steps, give_password, ask, upload
):
    for _ in range(6):
        Client().post("/face/login/", {"username": "obama", "snapshot": upload("biden")})
    give_password()
    assert ask("/admin/login/face/", snapshot=upload("obama2"))[0] == 200


def test_first_face_comes_by_password(client, two_steps, ask, upload, db):
    User.objects.create_superuser("eve", "eve@example.com", PASSWORD)
    ask("/face/login/", username="eve", password=PASSWORD)
    assert ask("/face/enrol/", consent="on", snapshot=[upload(name) for name in OBAMA])[0] == 200


def test_password_makes_up_for_no_failures_of_staff(client, boss, two_steps, ask, upload, settings):
    settings.FACEAUTH = {**settings.FACEAUTH, "MAX_FAILURES_BEFORE_DISABLING": 1}
    ask("/face/login/", username="obama", snapshot=upload("biden"))
    ask("/face/login/", username="obama", password=PASSWORD)
    assert FailureCount.objects.filter(user=boss, disabled_at__isnull=False).exists()
    del settings.FACEAUTH["ADMIN_SECOND_STEP"]
    client.logout()
    ask("/face/login/", username="obama", password=PASSWORD)
    assert not FailureCount.objects.filter(user=boss, disabled_at__isnull=False).exists()


# System checks


def test_site_uses_the_admin_that_knows_faces():
    assert isinstance(admin.site._wrapped, FaceAdminSite)


def test_second_step_that_nobody_asks_for_is_an_error(two_steps, monkeypatch):
    def found():
        return [each for each in checks.run_checks() if each.id == "faceauth.E015"]

    one, other = FaceAdminSite(), AdminSite()
    monkeypatch.setattr("django.contrib.admin.sites.all_sites", [one])
    assert not found()
    monkeypatch.setattr("django.contrib.admin.sites.all_sites", [one, other])
    assert len(found()) == 1


def test_staff_who_could_not_come_in_are_counted(boss, two_steps, settings):
    def found():
        every = checks.run_checks(databases=["default"])
        return [each.msg for each in every if each.id == "faceauth.W018"]

    assert not found()
    User.objects.create_superuser("eve", "eve@example.com", PASSWORD)
    assert found()[0].endswith(": 1.")
    del settings.FACEAUTH["ADMIN_SECOND_STEP"]
    assert not found()
