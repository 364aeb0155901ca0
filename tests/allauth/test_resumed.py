"""Logins that allauth resumes after another step count as what they began with."""

from __future__ import annotations

import re

import pytest
import time_machine
from allauth.account.internal.stagekit import LOGIN_SESSION_KEY
from allauth.mfa.totp.internal import auth
from django.contrib.auth import BACKEND_SESSION_KEY, login
from django.contrib.auth.models import AnonymousUser
from django.core import mail
from django.core.cache import cache
from django.utils import timezone

from faceauth import logins
from faceauth.backends import FaceBackend
from faceauth.lockout import attempts
from faceauth.models import FaceEvent, FailureCount
from faceauth.step_up import confirmation, second_step
from tests.support.accounts import PASSWORD, account, logged_in

FACE, TOKEN = "/face/login/", "/accounts/2fa/authenticate/"
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


@pytest.fixture(autouse=True)
def on_any_device(settings):
    """Let faces log in where their owners have not trusted the browser."""
    settings.FACEAUTH = {**settings.FACEAUTH, "UNKNOWN_DEVICES": "allow"}


@pytest.fixture
def obama(obama):
    """Obama, whose face is enrolled, and who has an app that shows tokens."""
    cache.clear()  # where allauth notes the tokens that were used
    auth.TOTP.activate(obama, SECRET)
    return obama


@pytest.fixture
def give_token(client):
    def post():
        counter = next(auth.yield_hotp_counters_from_time())
        code = auth.format_hotp_value(auth.hotp_value(SECRET, counter))
        return client.post(TOKEN, {"code": code})

    return post


@pytest.fixture
def request_of(client, rf):
    """The next request of that session."""

    def make(user=None):
        request = rf.get("/")
        request.session, request.user = client.session, user or AnonymousUser()
        return request

    return make


def seen(request):
    methods = (confirmation.FACE, confirmation.PASSWORD)
    return [each for each in methods if confirmation.seen(request, each)]


def give_up(client):
    """Let allauth forget the login that waits for a token."""
    session = client.session
    del session[LOGIN_SESSION_KEY]
    session.save()


def fail(user):
    """Fail once with the face of that user."""
    attempts.admit(None, user.get_username())


def failures(user):
    row = FailureCount.objects.filter(user=user) or FailureCount.objects.all()
    return sum(each.failures for each in row)


def test_face_and_token_are_not_a_password(client, obama, ask, upload, give_token, request_of):
    status, answer = ask(FACE, snapshot=upload("obama2"))
    assert (status, answer["next"]) == (200, TOKEN)
    assert logged_in(client) is None
    give_token()
    assert logged_in(client) == "obama"
    request = request_of(obama)
    assert seen(request) == [confirmation.FACE]
    assert not second_step.passed(request)
    assert FaceEvent.objects.filter(kind=FaceEvent.Kind.LOGIN).count() == 1


def test_session_belongs_to_the_face_backend(client, obama, ask, upload, give_token):
    ask(FACE, snapshot=upload("obama2"))
    give_token()
    path = f"{FaceBackend.__module__}.{FaceBackend.__qualname__}"
    assert client.session[BACKEND_SESSION_KEY] == path
    assert client.get("/").text == "Hello, obama."


def test_token_after_the_face_forgives_no_failures(client, obama, ask, upload, give_token):
    ask(FACE, snapshot=upload("obama2"))
    fail(obama)
    before = failures(obama)
    assert before
    give_token()
    assert failures(obama) == before


def test_password_after_an_abandoned_face_counts_as_one(
    client, obama, ask, upload, give_token, request_of
):
    ask(FACE, snapshot=upload("obama2"))
    give_up(client)
    client.post("/accounts/login/", {"login": "obama", "password": PASSWORD})
    give_token()
    assert logged_in(client) == "obama"
    # The session has seen both by now.
    assert seen(request_of(obama)) == [confirmation.FACE, confirmation.PASSWORD]


def test_password_and_token_count_as_a_password(client, obama, give_token, request_of):
    client.post("/accounts/login/", {"login": "obama", "password": PASSWORD})
    give_token()
    assert seen(request_of(obama)) == [confirmation.PASSWORD]


def test_nobody_elses_login_counts_as_one_by_face(client, obama, ask, upload, request_of):
    ada = account("ada")
    ask(FACE, snapshot=upload("obama2"))
    give_up(client)
    client.post("/accounts/login/", {"login": "ada", "password": PASSWORD})
    assert logged_in(client) == "ada"
    assert seen(request_of(ada)) == [confirmation.PASSWORD]


def test_login_that_is_completed_much_later_is_not_resumed(obama, rf, client, settings):
    request = rf.get("/")
    request.session, request.user = client.session, AnonymousUser()
    with time_machine.travel(timezone.now()) as clock:
        obama.backend = settings.AUTHENTICATION_BACKENDS[-1]
        logins.postpone_login(request, obama)
        clock.shift(logins.POSTPONED_FOR + 1)
        again = type(obama).objects.get(pk=obama.pk)
        login(request, again, backend="django.contrib.auth.backends.ModelBackend")
    request.user = obama
    assert confirmation.PASSWORD in seen(request)


def test_confirmed_address_after_the_face_is_not_a_password(
    client, enrolled, ask, upload, settings, request_of
):
    settings.ACCOUNT_EMAIL_VERIFICATION = "mandatory"
    settings.ACCOUNT_LOGIN_ON_EMAIL_CONFIRMATION = True
    owner = enrolled("ada", "obama", "obama3", "obama up")
    assert ask(FACE, snapshot=upload("obama2"))[0] == 200
    assert logged_in(client) is None
    (link,) = re.findall(r"http://testserver(/accounts/confirm-email/\S+)", mail.outbox[-1].body)
    client.post(link)
    assert logged_in(client) == "ada"
    assert seen(request_of(owner)) == [confirmation.FACE]
