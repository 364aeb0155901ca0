"""Failures that count for one account: waits, and faces that are disabled."""

from __future__ import annotations

import numpy as np
import pytest
from django.test import Client, RequestFactory

from faceauth import logins
from faceauth.errors import TooManyAttempts
from faceauth.lockout import attempts
from faceauth.models import FaceEvent, FailureCount
from tests.site.conftest import PASSWORD, log_out
from tests.support.guessing import counted, disable, fail
from tests.support.mail import sent
from tests.support.threads import at_once

pytestmark = pytest.mark.postgres

LOGIN = "/face/login/"


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


def test_pictures_that_cannot_be_used_count_for_the_address_alone(obama, guess, clock, monkeypatch):
    for _ in range(20):
        assert guess("obama", b"no picture").status_code == 415
    assert sorted(counted()) == ["address", "network"]
    with monkeypatch.context() as blind:
        blind.setattr("faceauth.capture.samples.analyse", pytest.fail)
        assert guess("obama", b"no picture").status_code == 429
    assert guess("obama", "obama2", REMOTE_ADDR="203.0.113.9").status_code == 200


def test_requests_without_a_picture_do_not_count(client, obama, db):
    for _ in range(3):
        assert client.post(LOGIN, {"username": "obama"}).status_code == 400
    assert counted() == []


def test_face_alone_counts_for_the_browser_and_leaves_others_alone(obama, guess, upload, clock):
    assert [guess().status_code for _ in range(6)] == [401] * 5 + [429]
    assert guess("obama", "obama2").status_code == 200
    assert Client().post(LOGIN, {"snapshot": upload("obama2")}).status_code == 302


def test_password_is_never_locked(obama, guess, clock):
    for _ in range(6):
        guess("obama")
    data = {"username": "obama", "password": PASSWORD}
    assert Client().post(LOGIN, data).status_code == 302


def test_guesser_does_not_notice_when_the_owner_logs_in(obama, quick, clock):
    """Or they would learn that the account exists, and when its owner is there."""
    waits = {}
    for name in ("obama", "nobody"):
        waits[name] = []
        fail(name, 4)
        # Beyond the fifty failures that disable the face, as well.
        for _ in range(70):
            fail(name, 1)
            assert Client().login(username="obama", password=PASSWORD)
            waits[name].append(attempts.retry_after(None, name))
            clock.go(waits[name][-1])
    assert waits["obama"] == waits["nobody"]
    assert waits["obama"][:9] == [30, 60, 120, 240, 480, 960, 1920, 3600, 3600]


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
    (told,) = sent()
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
    clock.go(3600)
    assert guess("obama", "obama2").status_code == 200


def test_new_password_by_mail_enables_the_face_again(client, obama, quick, clock):
    logins.confirm_address(obama, face_seen=True)
    disable(clock)
    sent().clear()
    client.post("/accounts/password-reset/", {"email": obama.email})
    link = next(line for line in sent()[0].body.splitlines() if line.startswith("http"))
    page = client.get(link, follow=True)
    new = {"new_password1": "another long one", "new_password2": "another long one"}
    page = client.post(page.redirect_chain[-1][0], new, follow=True)
    assert "It is on again now" in page.text
    assert not FailureCount.objects.filter(disabled_at__isnull=False)


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
