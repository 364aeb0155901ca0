"""Codes by email: six digits for one session and one purpose."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.contrib.sessions.backends.db import SessionStore
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from faceauth import errors
from faceauth.models import EmailCode
from faceauth.step_up import email_code
from tests.support.accounts import account

pytestmark = pytest.mark.django_db


@pytest.fixture
def visit(rf):
    """A request of a new session, or of one that exists."""

    def make(session_key=None):
        request = rf.post("/")
        request.session = SessionStore(session_key)
        return request

    return make


def other_than(code):
    return f"{(int(code) + 1) % 10**6:06d}"


def test_a_code_works_once(visit):
    ada, request = account("ada"), visit()
    code = email_code.issue(request, "login", ada)
    assert len(code) == 6 and code.isdecimal()
    assert email_code.redeem(request, "login", code).user == ada
    with pytest.raises(errors.CodeExpired):
        email_code.redeem(request, "login", code)


def test_a_code_for_an_address_without_an_account(visit):
    request = visit()
    code = email_code.issue(request, "signup")
    assert email_code.redeem(request, "signup", code).user is None


@pytest.mark.parametrize(
    "typed",
    ["{0} {1}", " {0}-{1}\n", "{0}\N{NO-BREAK SPACE}{1}", "{0}\N{EN DASH}{1}", "\u200e{0}{1}"],
)
def test_spaces_and_dashes_do_not_matter(visit, typed):
    request = visit()
    code = email_code.issue(request, "login")
    assert email_code.redeem(request, "login", typed.format(code[:3], code[3:]))


@pytest.mark.parametrize("zero", ["٠", "۰", "०", "０"])
def test_digits_of_other_scripts(visit, zero):
    request = visit()
    code = email_code.issue(request, "login")
    typed = "".join(chr(ord(zero) + int(digit)) for digit in code)
    assert email_code.redeem(request, "login", typed)


def test_five_tries(visit):
    request = visit()
    code = email_code.issue(request, "login")
    for _try in range(email_code.MAX_TRIES):
        with pytest.raises(errors.CodeWrong):
            email_code.redeem(request, "login", other_than(code))
    with pytest.raises(errors.CodeExpired):
        email_code.redeem(request, "login", code)


def test_the_fifth_try_may_be_right(visit):
    request = visit()
    code = email_code.issue(request, "login")
    for _try in range(email_code.MAX_TRIES - 1):
        with pytest.raises(errors.CodeWrong):
            email_code.redeem(request, "login", other_than(code))
    assert email_code.redeem(request, "login", code)


def test_a_decoy_answers_as_a_code_does(visit):
    request = visit()
    assert email_code.issue(request, "login", account("ada"), decoy=True) == ""
    assert EmailCode.objects.get().user is None
    for _try in range(email_code.MAX_TRIES):
        with pytest.raises(errors.CodeWrong):
            email_code.redeem(request, "login", "000000")
    with pytest.raises(errors.CodeExpired):
        email_code.redeem(request, "login", "000000")


@pytest.mark.parametrize("typed", ["", "decoy", " ", "0" * 64])
def test_nothing_opens_a_decoy(visit, typed):
    request = visit()
    email_code.issue(request, "login", decoy=True)
    with pytest.raises(errors.CodeWrong):
        email_code.redeem(request, "login", typed)


def test_a_decoy_takes_as_many_queries(visit):
    counts = []
    for decoy in (False, True):
        request = visit()
        with CaptureQueriesContext(connection) as queries:
            code = email_code.issue(request, "login", decoy=decoy) or "000000"
            with pytest.raises(errors.CodeWrong):
                email_code.redeem(request, "login", other_than(code))
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_a_new_code_replaces_the_old_one(visit):
    request = visit()
    old = email_code.issue(request, "login")
    new = email_code.issue(request, "login")
    if old != new:  # once in a million times they are equal
        with pytest.raises(errors.CodeWrong):
            email_code.redeem(request, "login", old)
    assert email_code.redeem(request, "login", new)
    assert not EmailCode.objects.exists()


def test_a_decoy_replaces_a_code(visit):
    request = visit()
    code = email_code.issue(request, "login")
    email_code.issue(request, "login", decoy=True)
    with pytest.raises(errors.CodeWrong):
        email_code.redeem(request, "login", code)


def test_ten_minutes(visit):
    request = visit()
    code = email_code.issue(request, "login")
    assert EmailCode.objects.get().forget_at - timezone.now() > timedelta(minutes=9)
    EmailCode.objects.update(forget_at=timezone.now())
    with pytest.raises(errors.CodeExpired):
        email_code.redeem(request, "login", code)


def test_old_codes_are_deleted(visit):
    email_code.issue(visit(), "login")
    EmailCode.objects.update(forget_at=timezone.now() - timedelta(seconds=1))
    email_code.issue(visit(), "login")
    assert EmailCode.objects.count() == 1


def test_another_session_or_purpose(visit):
    request = visit()
    code = email_code.issue(request, "login")
    email_code.issue(other := visit(), "login")
    for attempt in ((request, "removal"), (visit(), "login")):
        with pytest.raises(errors.CodeExpired):
            email_code.redeem(*attempt, code)
    with pytest.raises(errors.CodeWrong):
        email_code.redeem(other, "login", code)
    assert email_code.redeem(request, "login", code)


def test_the_session_may_change_its_key(visit):
    request = visit()
    code = email_code.issue(request, "login")
    request.session.cycle_key()
    assert email_code.redeem(visit(request.session.session_key), "login", code)


def test_a_withdrawn_code(visit):
    request = visit()
    code = email_code.issue(request, "login")
    email_code.withdraw(request, "login")
    with pytest.raises(errors.CodeExpired):
        email_code.redeem(request, "login", code)


def test_the_database_does_not_hold_the_code(visit):
    code = email_code.issue(visit(), "login")
    assert code not in str(list(EmailCode.objects.values()))


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("correct", [False, True], ids=["wrong", "right"])
def test_parallel_tries(visit, correct):
    """At most five are compared, and at most one succeeds."""
    request = visit()
    code = email_code.issue(request, "login")
    request.session.save()
    typed = code if correct else other_than(code)

    def answer(_number):
        try:
            email_code.redeem(visit(request.session.session_key), "login", typed)
            return "right"
        except errors.FaceError as error:
            return error.code
        finally:
            connections.close_all()

    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(answer, range(12)))
    if correct:
        assert answers.count("right") == 1
        assert answers.count("code_expired") == 11
    else:
        assert answers.count("code_wrong") == email_code.MAX_TRIES
        assert answers.count("code_expired") == 12 - email_code.MAX_TRIES
