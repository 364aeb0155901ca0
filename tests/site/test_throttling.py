from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.core.management import call_command

from faceauth.http import rate_limit
from faceauth.models import RequestCount
from tests.site.conftest import JSON, username_of
from tests.support.accounts import log_in_by_face
from tests.support.people import OBAMA
from tests.support.threads import at_once

FRAMES, ENROL = "/face/frames/", "/face/enrol/"
MIDNIGHT = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def at(monkeypatch):
    """Set the time in seconds."""

    def set_time(seconds):
        monkeypatch.setattr("faceauth.http.rate_limit.time.time", lambda: float(seconds))

    return set_time


def test_challenges_are_limited(client, db, upload, settings, at):
    at(1_000_000_000)
    settings.FACEAUTH = {**settings.FACEAUTH, "CHALLENGE": "auto", "CHALLENGES_PER_MINUTE": 2}
    assert open_challenges(client, upload, ["127.0.0.1"] * 3) == [200, 200, 429]


def test_challenges_of_a_network_are_limited(client, db, upload, settings, at):
    """Whoever has a /48 of IPv6 has 65,536 subnets to open them from."""
    at(1_000_000_000)
    settings.FACEAUTH = {**settings.FACEAUTH, "CHALLENGE": "auto", "CHALLENGES_PER_MINUTE": 1}
    subnets = [f"2001:db8:0:{subnet}::1" for subnet in range(6)]
    assert open_challenges(client, upload, subnets) == [200] * 5 + [429]


def open_challenges(client, upload, addresses):
    """Open one from each address, each in a session of its own. Return the statuses."""
    statuses = []
    for address in addresses:
        client.cookies.clear()
        form = {"frame": upload("obama")}
        response = client.post(FRAMES, form, headers=JSON, REMOTE_ADDR=address)
        statuses.append(response.status_code)
    return statuses


@pytest.mark.postgres
def test_enrolments_are_limited(client, obama, upload, settings, monkeypatch):
    settings.FACEAUTH = {**settings.FACEAUTH, "ENROLMENTS_PER_HOUR": 1}
    log_in_by_face(client, obama)
    data = {"consent": "on"}
    shots = [upload(name) for name in OBAMA]
    assert client.post(ENROL, {**data, "snapshot": shots}).status_code == 302
    monkeypatch.setattr("faceauth.capture.samples.analyse", pytest.fail)
    response = client.post(ENROL, {**data, "snapshot": upload("obama")})
    assert response.status_code == 429
    assert int(response["Retry-After"]) <= 3600
    assert "Too many pictures" in response.text
    assert username_of(client) == "obama"


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_requests_at_the_same_time_do_not_exceed_the_limit():
    def enrol(_):
        rate_limit.enforce("enrol", 1, 20, rate_limit.HOUR)

    assert at_once(48, enrol) == 28
    assert at_once(8, enrol) == 8


@pytest.mark.postgres
def test_counts_begin_again_with_the_window_and_expired_ones_are_deleted(db, at, capsys):
    def wait(seconds, client=1):
        at(3600 * 500_000 + seconds)
        return rate_limit.count("enrol", client, 2, rate_limit.HOUR)

    assert [wait(0), wait(1200), wait(2400), wait(3599), wait(3600)] == [0, 0, 1200, 1, 0]
    # Others' rows of the hour before are deleted on the way, and the last ones by the command.
    RequestCount.objects.update(forget_at="2020-01-01T00:00Z")
    wait(3600, client=2)
    assert RequestCount.objects.count() == 1
    RequestCount.objects.update(forget_at="2020-01-01T00:00Z")
    call_command("face_purge")
    assert not RequestCount.objects.exists()


@pytest.mark.postgres
def test_process_whose_clock_is_ahead_forgets_nothing_of_the_others(db, time_machine):
    def counted(client, hours):
        time_machine.move_to(MIDNIGHT + timedelta(hours=hours))
        return not rate_limit.count("enrol", client, 1, rate_limit.HOUR)

    assert [counted(1, 0.99), counted(2, 1.99), counted(1, 0.99)] == [True, True, False]


def test_names_and_addresses_are_not_kept_as_they_are(client, db):
    client.post("/face/login/", {"username": "somebody", "password": "wrong"})
    kept = str(RequestCount.objects.values())
    assert "password:" in kept
    assert "somebody" not in kept
    assert "127.0.0" not in kept


@pytest.mark.postgres
def test_codes_are_limited_by_account(db, settings):
    settings.FACEAUTH = {**settings.FACEAUTH, "CODES_PER_HOUR": 2}
    assert [rate_limit.admits_code(7) for _ in range(4)] == [True, True, False, False]
    assert rate_limit.admits_code(8)
