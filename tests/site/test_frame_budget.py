"""CPU time for frames: how much an address, a network and a trusted device have."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.test import Client, RequestFactory
from time_machine import travel

from faceauth.errors import TooManyPictures
from faceauth.lockout import budget
from faceauth.models import RequestCount
from tests.site.conftest import JSON, PASSWORD
from tests.site.test_devices import log_in_by_password
from tests.support.threads import at_once

pytestmark = pytest.mark.postgres

FRAMES = "/face/frames/"


@pytest.fixture
def clock(db):
    """Let the time be the test's."""
    with travel(time.time(), tick=False) as travelled:
        yield travelled


@pytest.fixture
def seconds(settings):
    """Set the CPU time that an address has in a minute."""

    def become(value):
        settings.FACEAUTH = {**settings.FACEAUTH, "FRAME_CPU_SECONDS_PER_MINUTE": value}

    become(1)
    return become


def about(seconds, wait):
    """Return what `spend` returns, to a look more or less."""
    return pytest.approx((seconds, wait), abs=0.06)


def coming_from(address):
    return RequestFactory().post(FRAMES, REMOTE_ADDR=address)


def spend(cpu_seconds, address="192.0.2.1"):
    """Spend it in looks of 50 milliseconds. Return how much was admitted, and the wait after it."""
    request, spent = coming_from(address), 0.0
    for _ in range(round(cpu_seconds / 0.05)):
        try:
            budget.check(request)
        except TooManyPictures as error:
            return round(spent, 2), error.retry_after
        budget._spend(budget._budgets(request), 0.05)
        spent += 0.05
    return round(spent, 2), 0


def test_frames_are_refused_unread_once_the_cpu_time_is_spent(client, db, upload, seconds):
    def post(address="192.0.2.1"):
        data = {"frame": upload("obama"), "pose": "straight"}
        return client.post(FRAMES, data, headers=JSON, REMOTE_ADDR=address)

    seconds(0.05)
    statuses = [post().status_code]
    with pytest.MonkeyPatch.context() as unread:
        while statuses[-1] == 200 and len(statuses) < 100:
            statuses.append(post().status_code)
        unread.setattr("django.http.HttpRequest.parse_file_upload", pytest.fail)
        refused = post()
    assert 2 <= len(statuses) < 100
    assert (statuses[-1], refused.status_code) == (429, 429)
    assert 0 < int(refused["Retry-After"]) <= 60
    assert refused.json()["error"]["code"] == "too_many_attempts"
    assert refused.json()["error"]["message"] == "Too many pictures. Try again in 1 minute."
    assert post("203.0.113.9").status_code == 200


def test_what_is_spent_is_what_the_processor_worked(client, db, upload, seconds, monkeypatch):
    """Waiting costs nothing, and a broken frame costs what it takes to notice."""
    spent = []
    monkeypatch.setattr(budget, "_spend", lambda budgets, cpu: spent.append(cpu))

    def work(view, details):
        began = time.thread_time()
        time.sleep(0.1)
        while time.thread_time() < began + 0.03:
            pass
        raise TooManyPictures(1)

    monkeypatch.setattr("faceauth.frames_view.FramesView._answer", work)
    client.post(FRAMES, {"frame": upload("obama")}, headers=JSON)
    assert 0.03 <= spent[0] < 0.09


def test_budget_can_be_spent_at_once_and_comes_back_evenly(clock, seconds):
    assert spend(5) == about(1.0, 1)
    clock.shift(30)
    assert spend(5) == about(0.5, 1)
    clock.shift(timedelta(hours=1))
    assert spend(5) == about(1.0, 1)


def test_subnets_of_one_customer_are_one_address_and_networks_have_five_times_as_much(
    clock, seconds
):
    assert spend(5, "2001:db8:0:1::1") == about(1.0, 1)
    assert spend(5, "2001:db8:0:1:ffff::9") == about(0.0, 1)
    others = [spend(5, f"2001:db8:0:{number}::1")[0] for number in range(2, 9)]
    assert sum(others) == pytest.approx(4, abs=0.1)
    assert spend(5, "2001:db8:1::1") == about(1.0, 1)


def test_processes_share_what_was_spent(clock, seconds):
    assert spend(0.8) == about(0.8, 0)
    budget.forget()  # as another process, which asks the database
    assert spend(5)[0] == pytest.approx(0.2, abs=0.05)
    budget.forget()
    assert spend(5) == about(0.0, 1)


def test_refusal_asks_the_database_nothing(clock, seconds, django_assert_num_queries):
    spend(5)
    with django_assert_num_queries(0):
        assert spend(5) == about(0.0, 1)


def test_frames_of_a_login_cost_a_query_or_two(clock, seconds, django_assert_max_num_queries):
    seconds(30)
    spend(0.6)
    with django_assert_max_num_queries(2):
        spend(0.25)


@pytest.mark.django_db(transaction=True)
def test_parallel_frames_lose_no_time(seconds):
    def look(_):
        budget._spend(budget._budgets(coming_from("192.0.2.1")), 0.05)

    at_once(19, look)
    budget.forget()
    assert spend(5)[0] <= 0.1


@pytest.mark.parametrize("known", [True, False])
def test_clock_that_is_set_back_makes_nobody_wait(clock, seconds, known):
    spend(5)
    clock.shift(-3600)
    if not known:
        budget.forget()
    assert spend(5) == about(1.0, 1)
    budget.forget()
    assert spend(5) == about(0.0, 1)


def test_clock_that_is_set_back_a_little_makes_nobody_wait_for_more_than_a_minute(clock, seconds):
    spend(5)
    clock.shift(-300)
    assert spend(5) == about(0.0, 60)
    clock.shift(61)
    assert spend(5)[0] > 0


def test_stranger_at_the_same_address_cannot_use_up_what_a_trusted_device_has(
    client, enrolled, upload, seconds
):
    enrolled("ada", "obama", password=PASSWORD)
    log_in_by_password(client, "ada")
    spend(5, "127.0.0.1")

    def status(browser):
        data = {"frame": upload("obama"), "pose": "straight"}
        return browser.post(FRAMES, data, headers=JSON).status_code

    assert (status(Client()), status(client)) == (429, 200)


def test_devices_at_one_address_have_five_times_as_much_together(
    enrolled, clock, seconds, monkeypatch
):
    class Device:
        pk = 0

    monkeypatch.setattr("faceauth.devices.current", lambda request: Device)
    spent = []
    for number in range(7):
        monkeypatch.setattr(Device, "pk", number)
        spent.append(spend(5)[0])
    assert (spent[0], sum(spent)) == (1.0, pytest.approx(5, abs=0.1))


def test_rows_end_when_all_has_come_back(clock, seconds):
    spend(5)
    assert RequestCount.objects.filter(key__startswith="frames:").count() == 2
    assert "192.0.2" not in str(RequestCount.objects.values())
    clock.shift(61)
    call_command("face_purge")
    assert not RequestCount.objects.exists()


@pytest.mark.parametrize("times", [1, 4])
def test_other_threads_of_the_networks_are_paid_for(clock, settings, seconds, times):
    settings.FACEAUTH = {**settings.FACEAUTH, "THREADS": times}
    with budget.spending(coming_from("192.0.2.1")):
        began = time.thread_time()
        while time.thread_time() < began + 0.1:
            pass
    assert spend(5)[0] == pytest.approx(1 - 0.1 * times, abs=0.06)
