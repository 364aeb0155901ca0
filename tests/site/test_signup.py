"""Sign-up: the mailbox is proven first, and until then nobody learns who has an account."""

from __future__ import annotations

import re
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.core import mail as mailbox
from django.db import connection, connections
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from faceauth import faces
from faceauth.models import DeviceTrust, EmailCode
from faceauth.step_up import email_code
from tests.site.conftest import JSON, username_of
from tests.support import mail
from tests.support.accounts import account
from tests.support.signing_up import CODE, SIGN_UP, begin, sign_up

pytestmark = pytest.mark.django_db

GOOD = {"username": "ada", "email": "ada@example.com"}
PASSWORD = "a long password"


def wrong(code):
    return f"{(int(code) + 1) % 10**6:06d}"


def test_an_account_without_a_password(client):
    assert begin(client)["Location"] == CODE
    assert not User.objects.exists()
    (message,) = mail.sent()
    assert message.to == ["ada@example.com"]
    assert mail.code() in message.subject
    assert "://" not in message.body
    response = client.post(CODE, {"code": mail.code()})
    assert response["Location"] == "/face/enrol/?next=%2Faccounts%2Fprofile%2F"
    assert username_of(client) == "ada"
    user = User.objects.get()
    assert not user.has_usable_password()
    assert faces.of(user).face_address_confirmed_at is not None


def test_the_face_comes_next_and_can_wait(client):
    page = client.get(sign_up(client)["Location"])
    assert page.status_code == 200
    assert "Welcome, ada. Your account is ready." in page.text
    assert re.search(r'href="/accounts/profile/">Not now</a>', page.text)


def test_the_page_that_asked_for_the_login_is_reached_in_the_end(client):
    begin(client, next="/members/")
    response = client.post(CODE, {"code": mail.code()})
    assert response["Location"] == "/face/enrol/?next=%2Fmembers%2F"
    assert 'href="/members/">Not now</a>' in client.get(response["Location"]).text


def test_no_other_site_is_reached(client):
    begin(client, next="https://evil.example/")
    response = client.post(CODE, {"code": mail.code()})
    assert response["Location"] == "/face/enrol/?next=%2Faccounts%2Fprofile%2F"
    page = client.get("/face/enrol/?next=https://evil.example/").text
    assert "evil.example" not in page


def test_a_password(client):
    sign_up(client, password=PASSWORD)
    client.logout()
    assert client.login(username="ada", password=PASSWORD)


def test_the_session_does_not_hold_the_password(client):
    begin(client, password=PASSWORD)
    assert PASSWORD not in str(dict(client.session))
    client.post(CODE, {"code": mail.code()})
    assert "signup" not in client.session


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"username": ""}, "username"),
        ({"username": "a b"}, "username"),
        ({"email": ""}, "email"),
        ({"email": "nonsense"}, "email"),
        ({"password": "12345"}, "password"),
        ({"password": "ada@example.com"}, "password"),
    ],
)
def test_wrong_fields_are_named(ask, fields, field):
    status, answer = ask(SIGN_UP, **{**GOOD, "password": PASSWORD, **fields})
    assert (status, answer["error"]["code"]) == (400, "invalid")
    assert list(answer["error"]["fields"]) == [field]
    assert not mail.sent()


def test_a_wrong_code_creates_nothing(client):
    begin(client)
    response = client.post(CODE, {"code": wrong(mail.code())})
    assert response.status_code == 401
    assert "This code is not correct." in response.text
    assert not User.objects.exists()


def test_code_that_was_used_a_moment_ago(client):
    begin(client)
    code, twice = mail.code(), Client()
    # A second click, before the browser has the answer to the first.
    twice.cookies["sessionid"] = client.cookies["sessionid"].value
    assert client.post(CODE, {"code": code}).status_code == 302
    response = twice.post(CODE, {"code": code})
    assert response.status_code == 400
    assert 'created your account, <a href="/face/login/">log in</a>.' in response.text
    assert 'Otherwise <a href="/accounts/signup/">start again</a>.' in response.text
    assert User.objects.count() == 1


def test_five_wrong_codes(client):
    begin(client)
    code = mail.code()
    for _try in range(email_code.MAX_TRIES):
        client.post(CODE, {"code": wrong(code)})
    response = client.post(CODE, {"code": code})
    assert response.status_code == 400
    assert "This code no longer works." in response.text
    assert not User.objects.exists()


def test_another_browser_cannot_use_the_code(client):
    begin(client)
    code, other = mail.code(), Client()
    assert other.get(CODE)["Location"] == SIGN_UP
    assert other.post(CODE, {"code": code}).status_code == 400
    begin(other, "eve")
    assert other.post(CODE, {"code": code}).status_code == 401
    assert not User.objects.exists()


def test_another_code(client):
    begin(client)
    first = mail.code()
    response = client.post(CODE, {"again": "on"}, follow=True)
    assert "We’ve sent another email." in response.text
    second = mail.code()
    if first != second:
        assert client.post(CODE, {"code": first}).status_code == 401
    assert client.post(CODE, {"code": second}).status_code == 302


@pytest.mark.parametrize("name", ["ada", "nobody"])
def test_mails_to_one_address_are_limited(client, settings, name):
    settings.FACEAUTH = {**settings.FACEAUTH, "CODES_PER_HOUR": 2}
    account("ada")
    begin(client, name)
    assert client.post(CODE, {"again": "on"}).status_code == 302
    response = client.post(CODE, {"again": "on"})
    assert response.status_code == 429
    assert int(response["Retry-After"]) <= 3600
    assert "We have sent too many emails there." in response.text
    assert begin(Client(), "other", email=f"{name.upper()}@example.com").status_code == 429
    assert len(mail.sent()) == 2


def test_sign_ups_are_limited_by_address(client, settings):
    settings.FACEAUTH = {**settings.FACEAUTH, "ENROLMENTS_PER_HOUR": 2}
    assert [begin(client, name).status_code for name in ("a1", "a2", "a3")] == [302, 302, 429]
    elsewhere = {"REMOTE_ADDR": "203.0.113.9"}
    data = {"username": "a4", "email": "a4@example.com"}
    assert client.post(SIGN_UP, data, **elsewhere).status_code == 302


def test_an_address_that_has_an_account(client):
    ada = account("ada")
    begin(client, "eve", email="Ada@Example.com")
    (message,) = mail.sent()
    assert message.to == [ada.email]
    assert "You already have an account" in message.subject
    assert not re.search(r"\d{6}", message.subject + message.body)
    for code in ("", "000000", "decoy"):
        assert client.post(CODE, {"code": code}).status_code in (400, 401)
    assert User.objects.count() == 1
    assert username_of(client) is None


def test_a_taken_name_is_told_once_the_mailbox_is_proven(client):
    account("ada")
    assert begin(client, "ADA", email="new@example.com").status_code == 302
    response = client.post(CODE, {"code": mail.code(), "trust": "on"})
    assert response.status_code == 400
    assert "This username is taken." in response.text
    assert "Your email address is confirmed." in response.text
    # The page stays if it is loaded again, and no other code is needed.
    assert "Choose a username" in client.get(CODE).text
    assert client.post(CODE, {"username": "Ada"}).status_code == 400
    assert client.post(CODE, {"username": "a b"}).status_code == 400
    assert client.post(CODE, {"username": "eve"}).status_code == 302
    assert username_of(client) == "eve"
    assert len(mailbox.outbox) == 1


def test_names_are_not_told_to_who_has_not_proven_a_mailbox(client):
    account("ada")
    begin(client, "eve")
    response = client.post(CODE, {"username": "ada"})
    assert "taken" not in response.text
    assert response.status_code == 400


def test_an_account_that_somebody_created_meanwhile(client):
    begin(client)
    code = mail.code()
    User.objects.create_user("other", "ADA@example.com")
    response = client.post(CODE, {"code": code})
    assert response.status_code == 400
    assert "There is an account with your email address by now." in response.text
    assert User.objects.count() == 1


ANSWERS = [
    pytest.param({"username": "taken"}, id="name"),
    pytest.param({"email": "taken@example.com"}, id="address"),
    pytest.param({"username": "taken", "email": "TAKEN@example.com"}, id="both"),
]


def seen(client, **fields):
    """Everything that a visitor sees of a sign-up without a code: pages, headers, cookies."""
    started = client.post(SIGN_UP, {**GOOD, **fields})
    page = client.get(CODE)
    refused = client.post(CODE, {"code": "no code"})
    again = client.post(CODE, {"again": "on"}, follow=True)
    found = []
    for response in (started, page, refused, again):
        text = re.sub(r'(csrfmiddlewaretoken" value=")\w+', r"\1", response.content.decode())
        text = text.replace({**GOOD, **fields}["email"], "ADDRESS")
        headers = {name: len(value) for name, value in response.items()}
        headers.pop("Content-Length", None)
        found.append((response.status_code, text, headers, sorted(response.cookies)))
    return found


@pytest.mark.parametrize("fields", ANSWERS)
def test_answers_are_alike(fields):
    account("taken")
    assert seen(Client(), **fields) == seen(Client())


@pytest.mark.parametrize("fields", ANSWERS)
def test_answers_are_alike_in_json(fields):
    account("taken")
    answers = []
    for more in (fields, {}):
        client = Client()
        for path, data in (
            (SIGN_UP, {**GOOD, **more}),
            (CODE, {"code": "x"}),
            (CODE, {"again": 1}),
        ):
            response = client.post(path, data, headers=JSON)
            answers.append((response.status_code, response.json()))
    assert answers[:3] == answers[3:]


@pytest.mark.parametrize("fields", ANSWERS)
def test_queries_are_alike(fields):
    """The time of an answer is mostly that of its queries."""
    account("taken")
    begin(Client())  # the first one of an hour writes counters
    counted = []
    for more in ({"email": "first@example.com"}, {"email": "second@example.com", **fields}):
        client = Client()
        client.get(SIGN_UP)
        with CaptureQueriesContext(connection) as queries:
            client.post(SIGN_UP, {**GOOD, **more})
        counted.append([re.sub(r"'[^']*'|\d+", "", each["sql"]) for each in queries])
    assert counted[0] == counted[1]


def test_json(ask, client):
    status, answer = ask(SIGN_UP, **GOOD)
    assert (status, answer) == (200, {"message": "", "next": CODE})
    status, answer = ask(CODE, code="x")
    assert (status, answer["error"]["code"]) == (401, "code_wrong")
    status, answer = ask(CODE, code=mail.code())
    assert (status, answer["user"]) == (200, {"username": "ada"})
    status, answer = ask(CODE, code="123456")
    assert (status, answer["error"]["code"]) == (400, "code_expired")


def test_trusting_the_browser(client):
    begin(client)
    page = client.get(CODE).text
    assert re.search(r'name="trust"[^>]*\schecked', page)
    response = client.post(CODE, {"code": mail.code(), "trust": "on"})
    (trust,) = DeviceTrust.objects.all()
    assert (trust.user.username, trust.by) == ("ada", "code")
    assert "faceauth_device" in response.cookies


def test_not_trusting_the_browser(client):
    response = sign_up(client)
    assert not DeviceTrust.objects.exists()
    assert "faceauth_device" not in response.cookies


def test_somebody_who_is_logged_in(client):
    client.force_login(account("eve"))
    assert client.get(SIGN_UP)["Location"] == "/accounts/profile/"
    sign_up(client)
    assert username_of(client) == "ada"


def test_spanish(client):
    response = client.post(SIGN_UP, GOOD, headers={"Accept-Language": "es"})
    assert response.status_code == 302
    (message,) = mail.sent()
    assert "es su código para" in message.subject


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_parallel_uses_of_a_code(client):
    begin(client)
    code, cookies = mail.code(), client.cookies

    def enter(_number):
        browser = Client()
        browser.cookies = cookies.copy()
        try:
            return browser.post(CODE, {"code": code}, headers=JSON).status_code
        finally:
            connections.close_all()

    with ThreadPoolExecutor(6) as pool:
        statuses = Counter(pool.map(enter, range(6)))
    assert statuses[200] == 1
    assert User.objects.count() == 1
    assert not EmailCode.objects.exists()
