"""Wrong passwords are limited by account and address, at every door alike."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import AnonymousUser
from django.test import Client, RequestFactory

from accounts.models import User
from faceauth.errors import TooManyPasswords
from faceauth.forms import PasswordForm
from faceauth.http import rate_limit
from faceauth.models import RequestCount
from tests.site.conftest import JSON, PASSWORD
from tests.support.hashing import SlowHasher
from tests.support.threads import at_once

pytestmark = pytest.mark.postgres

LOGIN, ADMIN = "/face/login/", "/admin/login/"


@pytest.fixture
def ada(db):
    return User.objects.create_superuser("ada", "ada@example.com", PASSWORD)


@pytest.fixture
def give():
    """Give a password in a new session, and return the response."""

    def post(password="wrong", username="ada", page=LOGIN, address="192.0.2.1", **headers):
        data = {"username": username, "password": password}
        return Client().post(page, data, REMOTE_ADDR=address, headers=headers)

    return post


@pytest.fixture(autouse=True)
def few(settings, monkeypatch):
    monkeypatch.setattr("faceauth.http.rate_limit.time.time", lambda: 1_000_000_000.0)
    settings.FACEAUTH = {**settings.FACEAUTH, "PASSWORDS_PER_HOUR": 3}


def test_by_default_twenty_an_hour(ada, give, settings):
    settings.FACEAUTH = {k: v for k, v in settings.FACEAUTH.items() if k != "PASSWORDS_PER_HOUR"}
    statuses = [give().status_code for _ in range(21)]
    assert statuses == [401] * 20 + [429]


def test_right_one_waits_at_this_address_only(ada, give):
    for _ in range(3):
        give()
    response = give(PASSWORD)
    assert response.status_code == 429
    assert 0 < int(response["Retry-After"]) <= 3600
    assert give(PASSWORD, address="203.0.113.9").status_code == 302
    # That login forgives nothing here.
    assert give(PASSWORD).status_code == 429


def test_answers_tell_nothing_of_the_account(ada, give):
    answers = []
    for name in ("ada", "nobody"):
        answers.append([])
        for _ in range(5):
            response = give(username=name, Accept="application/json")
            answers[-1].append((response.status_code, response.json()))
    assert answers[0] == answers[1]
    assert [status for status, _ in answers[0]] == [401, 401, 401, 429, 429]


def test_right_one_forgets_the_wrong_ones_before(ada, give):
    for _ in range(3):
        assert [give().status_code for _ in range(2)] == [401, 401]
        assert give(PASSWORD).status_code == 302


def test_right_one_forgets_no_other_accounts(ada, give):
    User.objects.create_user("eve", password=PASSWORD)
    for _ in range(3):
        assert give().status_code == 401
        assert give(PASSWORD, "eve").status_code == 302
    assert give().status_code == 429


@pytest.mark.parametrize("name", ["ADA", "Ada", "ádà", "ａｄａ"])
def test_name_in_other_letters_counts_as_the_same(ada, give, name):
    for _ in range(3):
        give(username=name)
    assert give(PASSWORD).status_code == 429


def test_network_of_addresses_is_limited_as_well(ada, give):
    statuses = [give(address=f"2001:db8:0:{at:x}::1").status_code for at in range(16)]
    assert statuses == [401] * 15 + [429]
    assert give(PASSWORD, address="2001:db8:1::1").status_code == 302


def test_one_limit_for_the_site_and_the_admin(ada, give):
    give()
    give(page=ADMIN)
    give()
    page = give(PASSWORD, page=ADMIN)
    assert "_auth_user_id" not in page.wsgi_request.session
    assert "Too many attempts. Try again in" in page.text
    assert give(PASSWORD, page=ADMIN, address="203.0.113.9").status_code == 302


def test_first_of_two_steps_is_limited_too(ada, give, settings):
    settings.FACEAUTH = {**settings.FACEAUTH, "ADMIN_SECOND_STEP": True}
    for _ in range(3):
        give(page=ADMIN)
    assert "Too many attempts. Try again in" in give(PASSWORD, page=ADMIN).text


def test_password_asked_for_again_counts_for_its_account(ada, give):
    eve = User.objects.create_user("eve", password=PASSWORD)
    client = Client(REMOTE_ADDR="192.0.2.1", headers=JSON)
    client.force_login(eve)
    for _ in range(2):
        assert client.post("/face/confirm/", {"password": "wrong"}).status_code == 401
    give(username="eve")
    assert client.post("/face/confirm/", {"password": PASSWORD}).status_code == 429


@pytest.mark.django_db(transaction=True)
def test_guesses_at_the_same_time_do_not_exceed_the_limit(settings):
    request = RequestFactory().post(LOGIN)
    assert at_once(16, lambda _: rate_limit.enforce_password(request, "ada")) == 13


@pytest.mark.django_db(transaction=True)
def test_crowd_that_guesses_names_leaves_a_core_and_is_not_waited_for(give, settings):
    settings.PASSWORD_HASHERS = ["tests.support.hashing.SlowHasher"]
    settings.FACEAUTH = {**settings.FACEAUTH, "MAX_CONCURRENT_LOOKS": 3}
    statuses = []
    at_once(20, lambda number: statuses.append(give(username=f"name{number}").status_code))
    assert SlowHasher.most == 2
    assert {*statuses} == {401, 503}
    # Those who were sent away have not been counted.
    assert (
        statuses.count(401) == RequestCount.objects.filter(key__startswith="password").count() / 2
    )


def test_form_without_a_request_limits_nobody(ada):
    for _ in range(5):
        form = PasswordForm(None, {"username": "ada", "password": "wrong"})
        assert form.errors.as_data()["__all__"][0].code == "invalid_login"


def test_form_of_a_site_is_limited(ada):
    request = RequestFactory().post(LOGIN)
    request.user, request.session = AnonymousUser(), Client().session
    for _ in range(4):
        form = PasswordForm(request, {"username": "ada", "password": "wrong"})
        error = form.errors.as_data()["__all__"][0]
    assert isinstance(error, TooManyPasswords)
