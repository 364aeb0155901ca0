"""Twenty clients that guess at the same time, at four processes: as many are heard as may be."""

from __future__ import annotations

import math
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import count
from threading import Event

import pytest

from faceauth.models import FaceEvent
from tests.robustness import pictures
from tests.robustness.serving import Site, Visitor
from tests.support.people import small
from tests.support.servers import database_url

LOGIN = "/face/login/"
PASSWORD = "a long password"

NUMBERS = count()

# How many guess for what, and how many failures of that bring no wait.
CROWD = {"owner": (8, 5), "nobody": (4, 5), "session": (4, 5), "address": (4, 20)}


@pytest.fixture
def first_wait(stress):
    return 30 if stress else 4


@pytest.fixture
def site(first_wait, transactional_db, tmp_path):
    with Site(tmp_path, database_url(), processes=4, first_wait=first_wait) as site:
        yield site


def test_crowd_is_heard_exactly_as_often_as_allowed(stress, first_wait, enrolled, site):
    enrolled("owner", "obama", "obama3", "obama up", password=PASSWORD)
    guessers, over = crowd(site), Event()
    start = time.monotonic()
    with ThreadPoolExecutor(len(guessers)) as threads:
        running = [threads.submit(keep_asking, guess, over) for guess in guessers]
        try:
            while time.monotonic() < start + 60 and (stress or not all_waited(site)):
                time.sleep(0.1)
            end = time.monotonic()
            # While it goes on: the password is heard, and then the face on the trusted browser.
            owner = Visitor(site, "owner's browser", "10.9.9.9")
            password = owner.post(LOGIN, username="owner", password=PASSWORD, trust="on")
            face = owner.post(LOGIN, [small("obama2")])
        finally:
            over.set()
    statuses = sum((each.result() for each in running), Counter())
    heard = Counter(client for when, client in site.reached() if when < end)
    print(f"{statuses.total()} guesses in {end - start:.0f} s: {dict(statuses)}; heard: {heard}")
    assert set(statuses) == {401, 429}
    waits = math.floor(math.log2((end - start) / first_wait + 1))
    for client, (_, limit) in CROWD.items():
        assert limit < heard[client] <= limit + waits
    assert FaceEvent.objects.filter(kind="refused").count() == len([*site.reached()])
    assert (password.status, password.json["user"]) == (200, {"username": "owner"})
    assert (face.status, face.json["user"]) == (200, {"username": "owner"})


def keep_asking(guess, over):
    """What was answered, until it is over."""
    statuses = Counter()
    while not over.is_set():
        statuses[guess()] += 1
        time.sleep(0.005)
    return statuses


def all_waited(site):
    """Whether of each kind somebody was heard after the first wait."""
    heard = Counter(client for _, client in site.reached())
    return all(heard[client] > limit for client, (_, limit) in CROWD.items())


def crowd(site):
    """What each of them does over and over: guess once and return the status."""
    session = Visitor(site, "session", "10.0.0.0")
    assert session.post(LOGIN, [picture()]).status == 401
    guessers = []
    for client, (many, _) in CROWD.items():
        for number in range(many):
            # Behind one address anybody may give any name; all others come from their own.
            address = "10.1.1.1" if client == "address" else f"10.0.{len(client)}.{number}"
            visitor = Visitor(site, client, address)
            if client == "session":
                visitor.cookies = session.cookies
            guessers.append(partial(guess, visitor, client))
    return guessers


def guess(visitor, client):
    names = {"session": {}, "address": {"username": f"somebody {next(NUMBERS)}"}}
    return visitor.post(LOGIN, [picture()], **names.get(client, {"username": client})).status


def picture():
    return pictures.plain("jpeg", "biden")
