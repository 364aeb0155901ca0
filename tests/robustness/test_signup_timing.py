"""Neither sign-up nor the reset of a password tells in its time who has an account."""

from __future__ import annotations

import gc
import statistics
import time
from itertools import count
from random import Random

import pytest
from django.test import Client

from accounts.models import User
from tests.robustness.test_timing import chance_of_longer

numbers = count()


@pytest.fixture(autouse=True)
def limits(db, settings):
    limits = dict.fromkeys(("ENROLMENTS_PER_HOUR", "CODES_PER_HOUR"), 10**9)
    settings.FACEAUTH = {**settings.FACEAUTH, **limits}


def fields(case):
    """Return what somebody signs up with: texts of the same length, which nobody has used yet."""
    new = f"{next(numbers):06d}"
    address = f"user{new}@example.com"
    if case == "address":
        User.objects.create_user(f"owner{new}", address)
    if case == "name":
        User.objects.create_user(f"name{new}", f"other{new}@example.com")
    return {"username": f"name{new}", "email": address}


@pytest.mark.parametrize("path", ["/accounts/signup/", "/accounts/password-reset/"])
def test_times_are_the_same(stress, path):
    for _ in range(3):
        times = measured(path, 300 if stress else 60)
        new = times.pop("nobody")
        longer = {case: chance_of_longer(each, new) for case, each in times.items()}
        medians = {
            case: statistics.median(each) / statistics.median(new) for case, each in times.items()
        }
        print(path, longer, medians)
        # By chance, or on a busy machine, once; but not three times running.
        if all(abs(z) <= 4 or abs(chance - 0.5) <= 0.1 for chance, z in longer.values()):
            return
    pytest.fail(f"Times tell who has an account: {longer}")


def measured(path, rounds):
    """Seconds that each request took, the cases in turns."""
    random = Random(0)
    times = {"nobody": [], "name": [], "address": []}
    gc.collect()
    gc.disable()
    try:
        for number in range(rounds + 3):
            for case in random.sample([*times], len(times)):
                client, data = Client(), fields(case)
                start = time.perf_counter()
                response = client.post(path, data)
                if number > 2:
                    times[case].append(time.perf_counter() - start)
                assert response.status_code == 302
    finally:
        gc.enable()
    return times
