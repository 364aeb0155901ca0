"""Failures that many people share: of an address, its network, and the whole site."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from django.test import Client, RequestFactory

from faceauth.errors import TooManyAttempts, UsernameNeeded
from faceauth.http import client_ip
from faceauth.lockout import attempts
from faceauth.models import FailureCount
from tests.support.guessing import counted, fail
from tests.support.threads import at_once

pytestmark = pytest.mark.postgres

LOGIN = "/face/login/"
DAY = 24 * 3600


def from_address(address):
    """Return a request from this address, in a new session."""
    request = RequestFactory().post(LOGIN, REMOTE_ADDR=address)
    request.session = Client().session
    return request


def guesses_until_refused(guess):
    """Return how many guesses are heard before one is refused, and how it is refused."""
    for number in range(10_000):
        try:
            guess(number)
        except (TooManyAttempts, UsernameNeeded) as error:
            return number, type(error)
    raise AssertionError("never refused")


def test_twenty_accounts_at_one_address_have_twenty_guesses(obama, clock):
    """However often their owners log in between: each account once after each guess."""
    users = [
        type(obama).objects.create_user(f"user{number}", f"{number}@example.com")
        for number in range(20)
    ]

    def guess(number):
        attempts.admit(from_address("192.0.2.1"), None)
        user = users[number % 20]
        attempts.admit(from_address("192.0.2.1"), user.username).succeeded(user)

    # The twentieth failure is the one that begins a wait, also for the account's own login.
    assert guesses_until_refused(guess) == (19, TooManyAttempts)
    with pytest.raises(TooManyAttempts):
        attempts.admit(from_address("192.0.2.1"), None)
    assert FailureCount.objects.get(key__startswith="address:").failures == 20


def test_network_of_a_thousand_addresses_has_the_guesses_of_the_site(db, clock):
    def guess(number):
        attempts.admit(from_address(f"2001:db8:0:{number % 1000:x}::1"), None)

    assert guesses_until_refused(guess) == (100, TooManyAttempts)
    with pytest.raises(UsernameNeeded):
        attempts.admit(from_address("203.0.113.9"), None)
    # The neighbour network, and whoever gives a username.
    attempts.admit(from_address("2001:db8:1::1"), "obama")


def test_all_networks_together_have_the_guesses_of_the_site(obama, client, upload, clock):
    def guess(number):
        attempts.admit(from_address(f"198.51.{number}.1"), None)

    assert guesses_until_refused(guess) == (100, UsernameNeeded)
    response = client.post(LOGIN, {"snapshot": upload("obama2")}, headers={"Accept": "text/html"})
    assert response.status_code == 400
    assert "Enter your username or email as well." in response.text
    data = {"username": "obama", "snapshot": upload("obama2")}
    assert client.post(LOGIN, data).status_code == 302


def test_pictures_without_a_username_are_not_looked_at_once_the_site_s_guesses_are_used_up(
    obama, client, upload, clock, settings, monkeypatch
):
    settings.FACEAUTH = {**settings.FACEAUTH, "MAX_ANONYMOUS_FAILURES_PER_HOUR": 1}
    attempts.admit(from_address("203.0.113.9"), None)
    monkeypatch.setattr("faceauth.capture.samples.analyse", pytest.fail)
    assert client.post(LOGIN, {"snapshot": upload("obama2")}).status_code == 400


def test_site_s_guesses_come_back_over_the_hour(db, clock, settings):
    settings.FACEAUTH = {**settings.FACEAUTH, "MAX_ANONYMOUS_FAILURES_PER_HOUR": 4}

    def guess(number=0):
        attempts.admit(from_address(f"198.51.{number}.1"), None)

    assert guesses_until_refused(guess) == (4, UsernameNeeded)
    clock.go(15 * 60)
    assert guesses_until_refused(guess) == (1, UsernameNeeded)
    clock.go(3600)
    assert guesses_until_refused(guess) == (4, UsernameNeeded)


def test_address_loses_its_failures_over_the_day(db, clock):
    """As many at once as the limit, and as many again over a day, however patient the guesser."""

    def guess(number=0):
        attempts.admit(from_address("192.0.2.1"), f"user{number}")

    assert guesses_until_refused(guess) == (20, TooManyAttempts)
    clock.go(DAY)
    assert guesses_until_refused(guess) == (20, TooManyAttempts)
    heard = 0
    for minute in range(24 * 60):
        clock.go(60)
        try:
            guess(f"minute{minute}")
        except TooManyAttempts:
            continue
        heard += 1
    # 20 a day that are forgotten, and the few that only double the wait.
    assert 20 <= heard <= 30


def test_failures_are_not_saved_up(db, clock):
    attempts.admit(from_address("192.0.2.1"), "user")
    clock.go(30 * DAY)

    def guess(number):
        attempts.admit(from_address("192.0.2.1"), f"user{number}")

    assert guesses_until_refused(guess) == (20, TooManyAttempts)


def test_success_takes_back_its_own_attempt_and_its_wait(obama, clock):
    for number in range(19):
        attempts.admit(from_address("192.0.2.1"), f"user{number}")
    for _ in range(3):
        attempts.admit(from_address("192.0.2.1"), "obama").succeeded(obama)
    assert FailureCount.objects.get(key__startswith="address:").failures == 19
    assert FailureCount.objects.get(key__startswith="network:").failures == 19


def test_success_ends_no_wait_that_somebody_else_began_meanwhile(obama, clock, settings):
    settings.FACEAUTH = {**settings.FACEAUTH, "MAX_FAILURES_PER_ADDRESS": 2}
    attempt = attempts.admit(from_address("192.0.2.1"), "obama")
    attempts.admit(from_address("192.0.2.1"), "somebody")
    attempt.succeeded(obama)
    with pytest.raises(TooManyAttempts):
        attempts.admit(from_address("192.0.2.1"), "obama")


def test_success_leaves_nothing_of_an_address_without_failures(obama, clock):
    attempts.admit(from_address("192.0.2.1"), None).succeeded(obama)
    assert counted() == []


def test_attempt_that_waits_for_a_code_is_a_failure_until_then(obama, clock):
    packed = attempts.admit(from_address("192.0.2.1"), "obama").pack()
    assert sorted(counted()) == ["account", "address", "name", "network"]
    attempts.Attempt.unpack(from_address("192.0.2.1"), packed).succeeded(obama)
    assert counted() == []


def test_who_keeps_no_cookies_is_counted_by_address(obama, client, guess, clock):
    for _ in range(20):
        client.cookies.clear()
        assert guess().status_code == 401
    client.cookies.clear()
    assert guess().status_code == 429
    assert guess(face="obama2", REMOTE_ADDR="203.0.113.9").status_code == 200


def test_address_cannot_go_through_many_names(obama, quick, clock):
    request = RequestFactory().post(LOGIN)
    for number in range(20):
        fail(f"user{number}", 1, request)
    with pytest.raises(TooManyAttempts):
        fail("obama", 1, request)


def test_member_may_guess_at_others_no_more_for_logging_in_between(
    client, obama, guess, upload, clock
):
    def logging_in():
        data = {"username": "obama", "snapshot": upload("obama2")}
        return Client().post(LOGIN, data).status_code

    def guesses(count):
        heard = []
        for _ in range(count):
            client.cookies.clear()
            heard.append(guess().status_code)
        return heard

    assert guesses(10) == [401] * 10
    assert logging_in() == 302  # forgives none of them
    assert guesses(9) == [401] * 9
    assert logging_in() == 302  # the twentieth attempt, but no failure: nobody has to wait
    assert guesses(1) == [401]
    assert logging_in() == 429
    assert guesses(1) == [429]


@pytest.mark.django_db(transaction=True)
def test_no_more_than_twenty_of_many_visitors_at_once_are_compared(obama, quick, compared):
    ask = RequestFactory().post
    refused = at_once(26, lambda _: fail(None, 1, ask(LOGIN)))
    assert (len(compared), refused) == (20, 6)


@pytest.mark.django_db(transaction=True)
def test_visitors_of_one_address_with_many_names_do_not_wait_for_each_other(db, quick, compared):
    ask = RequestFactory().post
    refused = at_once(24, lambda number: fail(f"user{number % 8}", 1, ask(LOGIN)))
    assert (len(compared), refused) == (20, 4)


@pytest.mark.parametrize(
    ("proxies", "forwarded", "seen"),
    [
        (0, "198.51.100.7", "192.0.2.1/32"),
        (1, "198.51.100.7", "198.51.100.7/32"),
        (1, "1.2.3.4, 198.51.100.7", "198.51.100.7/32"),
        (2, "1.2.3.4, 198.51.100.7, 10.0.0.1", "198.51.100.7/32"),
        (1, "198.51.100.7:4711", "198.51.100.7/32"),
        (1, "[2001:db8::1]:4711", "2001:db8::/64"),
        (1, "2001:db8:0:0:ffff::2", "2001:db8::/64"),
        (1, "::ffff:198.51.100.7", "198.51.100.7/32"),
        (1, "unknown", "192.0.2.1/32"),
        (1, "", "192.0.2.1/32"),
    ],
)
def test_address_is_what_the_outermost_own_proxy_saw(settings, proxies, forwarded, seen):
    settings.FACEAUTH = {**settings.FACEAUTH, "TRUSTED_PROXIES": proxies or None}
    request = RequestFactory().get(
        "/", REMOTE_ADDR="192.0.2.1", headers={"X-Forwarded-For": forwarded}
    )
    assert client_ip.rate_limit_key(request) == seen


def test_address_that_is_not_known_is_counted_all_the_same():
    assert client_ip.rate_limit_key(SimpleNamespace(META={"REMOTE_ADDR": ""})) == "unknown"


def test_forged_header_buys_no_more_guesses(obama, client, guess, clock):
    for number in range(21):
        client.cookies.clear()
        response = guess(headers={"X-Forwarded-For": f"198.51.100.{number}"})
    assert response.status_code == 429
