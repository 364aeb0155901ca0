from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier, Lock
from types import SimpleNamespace

import numpy as np
import pytest
from django.contrib.auth import authenticate
from django.core import mail
from django.db import connection
from django.test import Client, RequestFactory
from django.utils import timezone

from faceauth.errors import TooManyAttempts
from faceauth.http import client_ip
from faceauth.lockout import attempts, counters
from faceauth.models import FaceEvent, FailureCount
from faceauth.recognition import policy
from tests.site.conftest import JSON, PASSWORD, log_out

pytestmark = pytest.mark.postgres

LOGIN = "/face/login/"


@pytest.fixture
def clock(monkeypatch):
    """A clock that stands still until a test calls `clock.go(seconds)`."""

    class Clock:
        time = timezone.now()

        def now(self):
            return self.time

        def go(self, seconds):
            self.time += timedelta(seconds=seconds)

    clock = Clock()
    for module in (attempts, counters):
        monkeypatch.setattr(module, "timezone", clock)
    return clock


@pytest.fixture
def guess(client, upload):
    """Post a picture of Biden, or of another person, and return the response."""

    def post(username="", face="biden", **more):
        data = {"username": username, "snapshot": upload(face)}
        return client.post(LOGIN, data, headers={**JSON, **more.pop("headers", {})}, **more)

    return post


@pytest.fixture
def quick(monkeypatch):
    """Replace the analysis of pictures, for tests that guess often; nobody has this face."""
    probe = np.random.default_rng(0).normal(size=(1, 128)).astype(np.float32)
    monkeypatch.setattr("faceauth.capture.samples.probe_encodings", lambda snapshot: probe)


@pytest.fixture
def compared(monkeypatch):
    """Return a list with an entry for each guess that reached a decision."""
    reached, lock = [], Lock()
    for name in ("verify", "identify"):
        decide = getattr(policy, name)

        def count(*args, decide=decide):
            with lock:
                reached.append(decide)
            return decide(*args)

        monkeypatch.setattr(policy, name, count)
    return reached


def at_once(how_many, guess):
    """Guess in parallel threads with their own connections. Return how many were not admitted."""
    barrier = Barrier(how_many)

    def one(number):
        try:
            connection.ensure_connection()
            barrier.wait(30)
            guess(number)
        except TooManyAttempts:
            return 1
        finally:
            connection.close()
        return 0

    with ThreadPoolExecutor(how_many) as threads:
        return sum(threads.map(one, range(how_many)))


def fail(username, times, request=None):
    for _ in range(times):
        assert authenticate(request, snapshot=b"", username=username) is None


@pytest.mark.parametrize("name", ["obama", "nobody"])
def test_sixth_guess_in_a_row_waits_whether_or_not_the_account_exists(
    obama, guess, clock, name, monkeypatch
):
    assert [guess(name).status_code for _ in range(5)] == [401] * 5
    clock.go(12)
    monkeypatch.setattr("faceauth.capture.samples.analyse", pytest.fail)
    response = guess(name, "obama2")
    assert (response.status_code, response["Retry-After"]) == (429, "18")
    assert response.json()["error"] == {
        "code": "too_many_attempts",
        "message": "Too many attempts. Try again in 1 minute, or log in with your password.",
        "fields": {},
    }


def test_answers_tell_nothing_of_the_account(client, enrolled, obama, upload, clock):
    enrolled("gone", "biden", is_active=False)
    enrolled("faceless", "astronaut")
    faceless = type(obama).objects.get(username="faceless")
    faceless.face_encodings = None
    faceless.save()
    heard = set()
    for name in ("obama", "gone", "faceless", "nobody"):
        for accept in ("application/json", "text/html"):
            FailureCount.objects.all().delete()
            for _ in range(7):
                data = {"username": name, "snapshot": upload("biden")}
                response = Client().post(LOGIN, data, headers={"Accept": accept})
                page = response.text.replace(f'value="{name}"', "")
                for line in page.splitlines():
                    if "csrfmiddlewaretoken" in line:
                        page = page.replace(line, "")
                heard.add((response.status_code, response.get("Retry-After"), page))
    # One page and one JSON answer of each, whichever user was claimed.
    assert sorted(status for status, _, _ in heard) == [401, 401, 429, 429]


def test_waits_double_up_to_an_hour(obama, quick, clock):
    waits = []
    fail("obama", 4)
    for _ in range(9):
        fail("obama", 1)
        with pytest.raises(TooManyAttempts) as error:
            fail("obama", 1)
        waits.append(error.value.retry_after)
        clock.go(waits[-1])
    assert waits == [30, 60, 120, 240, 480, 960, 1920, 3600, 3600]


def test_after_the_wait_one_guess_is_heard(obama, guess, clock):
    for _ in range(5):
        guess("obama")
    clock.go(30)
    assert guess("obama").status_code == 401
    assert guess("obama", "obama2").status_code == 429
    clock.go(60)
    assert guess("obama", "obama2").status_code == 200


def test_login_begins_the_count_anew(client, obama, guess, clock):
    for _ in range(2):
        for _ in range(4):
            assert guess("obama").status_code == 401
        assert guess("obama", "obama2").status_code == 200
        log_out(client)
    assert {*counted()} == {"address", "network"}


def test_login_by_face_alone_begins_the_count_of_the_account_anew(obama, guess, clock):
    for _ in range(5):
        guess("obama")
    assert guess(face="obama2").status_code == 200
    assert guess("obama", "obama2").status_code == 200


def test_name_in_other_letters_counts_as_the_same(obama, quick, clock):
    for name in ("obama", "Obama", "OBAMA", "oBama", "obAma"):
        fail(name, 1)
    with pytest.raises(TooManyAttempts):
        fail("obama", 1)


def test_names_are_not_kept_as_they_are(obama, quick):
    fail("somebody", 1)
    assert "somebody" not in str(FailureCount.objects.values())


def test_pictures_that_cannot_be_used_do_not_count(obama, guess, faces):
    for _ in range(7):
        assert guess("obama", b"no picture").status_code == 415
    assert not FailureCount.objects.exists()
    assert guess("obama", "obama2").status_code == 200


def test_face_alone_counts_for_the_browser_and_leaves_others_alone(obama, guess, upload, clock):
    assert [guess().status_code for _ in range(6)] == [401] * 5 + [429]
    assert guess("obama", "obama2").status_code == 200
    assert Client().post(LOGIN, {"snapshot": upload("obama2")}).status_code == 302


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


def test_password_is_never_locked_and_begins_the_count_anew(client, obama, guess, clock):
    for _ in range(6):
        guess("obama")
    data = {"username": "obama", "password": PASSWORD}
    assert client.post(LOGIN, data).status_code == 302
    log_out(client)
    assert guess("obama", "obama2").status_code == 200


def test_namesake_in_other_letters_makes_up_for_nothing(obama, enrolled, quick, clock):
    enrolled("straße", "biden")
    twin = enrolled("strasse", "astronaut", password=PASSWORD)
    for _ in range(2):
        fail("straße", 2)
        assert Client().login(username="strasse", password=PASSWORD)
    fail("straße", 1)
    assert Client().login(username="strasse", password=PASSWORD)
    with pytest.raises(TooManyAttempts):
        fail("straße", 1)
    twin.delete()
    with pytest.raises(TooManyAttempts):
        fail("straße", 1)


def test_account_that_is_renamed_keeps_its_failures(obama, quick, clock):
    fail("obama", 5)
    obama.username = "barack"
    obama.save()
    with pytest.raises(TooManyAttempts):
        fail("barack", 1)


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


def counted():
    """Return the kinds of the counters in the database."""
    return [key.partition(":")[0] for key in FailureCount.objects.values_list("key", flat=True)]


def disable(clock, username="obama", times=50):
    for _ in range(times):
        fail(username, 1)
        clock.go(3600)


def test_fifty_failures_disable_the_face_until_a_password_login(
    client, obama, guess, monkeypatch, clock
):
    with monkeypatch.context() as patch:
        probe = np.ones((1, 128), np.float32)
        patch.setattr("faceauth.capture.samples.probe_encodings", lambda snapshot: probe)
        disable(clock, times=49)
        assert not FailureCount.objects.filter(disabled_at__isnull=False)
        disable(clock, times=1)
        disable(clock, "nobody")
    answers = {}
    for name in ("obama", "nobody"):
        first, second = guess(name, "obama2"), guess(name, "obama2")
        assert (first.status_code, second.status_code) == (401, 429)
        answers[name] = first.content, second.content, second["Retry-After"]
    assert answers["obama"] == answers["nobody"]
    assert FaceEvent.objects.first().outcome == "too_far"
    assert FaceEvent.objects.filter(user=obama, outcome="disabled").count() == 1
    assert guess("", "obama2").json() == guess("", "biden").json()
    (told,) = mail.outbox
    assert (told.to, told.subject) == (
        ["obama@example.com"],
        "Face login was turned off on our site",
    )
    data = {"username": "obama", "password": PASSWORD}
    page = client.post(LOGIN, data, follow=True).text
    assert "turned off after too many failed attempts" in page
    log_out(client)
    assert "too often in a row" not in client.post(LOGIN, data, follow=True).text
    log_out(client)
    assert guess("obama", "obama2").status_code == 200


def test_new_password_by_mail_enables_the_face_again(client, obama, quick, clock):
    disable(clock)
    mail.outbox.clear()
    client.post("/accounts/password-reset/", {"email": obama.email})
    link = next(line for line in mail.outbox[0].body.splitlines() if line.startswith("http"))
    page = client.get(link, follow=True)
    new = {"new_password1": "another long one", "new_password2": "another long one"}
    page = client.post(page.redirect_chain[-1][0], new, follow=True)
    assert "It is on again now" in page.text
    assert not FailureCount.objects.exists()


def test_disabled_face_stays_so_when_others_are_forgotten(obama, quick, clock):
    disable(clock)
    fail("nobody", 1, RequestFactory().post(LOGIN))
    clock.go(2 * 24 * 3600)
    fail("somebody", 1)
    # The address is forgotten; the last user's spelling of the name is still counted.
    assert sorted(counted()) == ["account", "account", "account", "name"]
    clock.go(366 * 24 * 3600)
    fail("anybody", 1)
    assert sorted(counted()) == ["account", "account", "name"]
    assert FailureCount.objects.get(disabled_at__isnull=False).failures == 50


@pytest.mark.django_db(transaction=True)
def test_no_more_than_five_of_many_guesses_at_once_are_compared(obama, quick, compared):
    refused = at_once(16, lambda _: fail("obama", 1))
    assert (len(compared), refused) == (5, 11)
    assert at_once(8, lambda _: fail("obama", 1)) == 8
    assert len(compared) == 5


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
