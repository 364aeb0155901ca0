"""Ten thousand requests that mean ill: no error, no memory lost, and nothing gained by any."""

from __future__ import annotations

import gc
import logging
import os
import socket
from collections import Counter
from contextlib import suppress
from datetime import timedelta
from functools import cache
from pathlib import Path

import pytest
from django.contrib.sessions.models import Session
from django.core.files.base import ContentFile
from django.test import Client
from django.utils import timezone

from accounts.models import User
from faceauth.capture import samples
from faceauth.models import FaceChallenge, FaceEvent
from tests.robustness import pictures
from tests.robustness.hostile import LOGIN, LOOK, VERIFY, Attack, Known
from tests.robustness.serving import Site, Visitor
from tests.robustness.stack import Stack
from tests.support.accounts import log_in_by_face
from tests.support.limits import UNLIMITED
from tests.support.servers import database_url

MEGABYTE = 2**20
PASSWORD = "a long password"

# Real transactions: the handler closes its connections as it does in a server.
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(params=[None, "auto"], ids=["without challenge", "with challenge"])
def unlimited(settings, request):
    """Let everything that is sent be looked at."""
    settings.FACEAUTH = {**settings.FACEAUTH, **UNLIMITED, "CHALLENGE": request.param}


@pytest.fixture(autouse=True)
def unlogged():
    """pytest keeps each record until the test ends, and Django's of a refusal holds the request
    with all that was sent: that memory is not the site's.
    """
    logging.disable(logging.WARNING)
    yield
    logging.disable(logging.NOTSET)


@pytest.fixture
def owner(enrolled):
    """Of the staff, who may have faces verified: then those of strangers are as well."""
    rights = {"is_staff": True, "is_superuser": True}
    return enrolled("owner", "obama", "obama2", "obama3", password=PASSWORD, **rights)


@pytest.fixture
def known(unlimited, owner):
    """What the owner's own browser has, and challenges that nobody can answer any more."""
    client = Client()
    log_in_by_face(client, owner)
    old = challenge_of(client)
    FaceChallenge.objects.update(expires_at=timezone.now() - timedelta(hours=1))
    tokens = [challenge_of(client), challenge_of(Client()), old]
    return Known(client.cookies["sessionid"].value, tokens)


def challenge_of(client):
    """A challenge that is open, if the site has any."""
    frame = ContentFile(pictures.plain("jpeg", "biden"), "a.jpg")
    answer = client.post(LOOK, {"frame": frame}, headers={"Accept": "application/json"})
    return answer.json().get("challenge", "x" * 22)


def test_hostile_requests_are_refused_without_an_error(stress, owner, known):
    stack, statuses = Stack(), Counter()
    before = state()
    look_at_the_largest()
    for seed in range(10**6, 10**6 + (500 if stress else 30)):
        answered(stack, seed, known)
    gc.collect()
    memory = resident()
    for seed in range(5000 if stress else 250):
        statuses[answered(stack, seed, known)] += 1
    gc.collect()
    grown = (resident() - memory) / MEGABYTE
    print(f"{statuses.total()} requests: {dict(statuses)}; {grown:.1f} MB grown")
    assert grown < 50
    assert state() == before


def test_hostile_bytes_are_refused_by_a_server(stress, owner, tmp_path):
    with Site(tmp_path, database_url()) as site:
        client = Visitor(site)
        client.post(LOGIN, username="owner", password=PASSWORD)
        known = Known(client.cookies["sessionid"], ["x" * 22])
        before, statuses = state(), Counter()
        if stress:
            warm_up(site, client, known)
        (process,) = site.workers
        memory = resident(process)
        for seed in range(600 if stress else 100):
            statuses[hear(site, seed, known)] += 1
        grown = (resident(process) - memory) / MEGABYTE
        print(f"{statuses.total()} requests: {dict(statuses)}; {grown:.1f} MB grown")
        assert grown < 50 or not stress
        assert state() == before
        assert client.get("/members/").status == 200


def warm_up(site, client, known):
    """Let each thread have what it keeps."""
    for _ in range(12):
        client.post(LOOK, frames=[pictures.largest_frame()], pose="any")
    for seed in range(10**6, 10**6 + 200):
        hear(site, seed, known)


@cache
def look_at_the_largest():
    """Let all be allocated that is once: no picture takes more."""
    samples.analyse_picture(pictures.largest())


def hear(site, seed, known):
    """The status that a server answers with; None where it hangs up."""
    sent = Attack(seed, known).wire()
    with socket.create_connection(("127.0.0.1", site.port), timeout=30) as connection:
        with suppress(OSError):  # it may have heard enough before all is sent
            connection.sendall(sent)
            connection.shutdown(socket.SHUT_WR)
        answer = b""
        with suppress(ConnectionError):
            while read := connection.recv(65536):
                answer += read
    status = int(answer.split()[1]) if answer.startswith(b"HTTP/1.1 ") else None
    assert status is None or status < 500, (
        f"seed {seed}: {sent[:200]!r} is answered {answer[:300]!r}"
    )
    return status


def answered(stack, seed, known):
    """The status, where it is none that a stranger should be given."""
    request = Attack(seed, known).request()
    answer = stack.ask(request)
    told = f"seed {seed}: {request.method} {request.path[:80]!r} {request.content_type[:80]!r}"
    if answer.status >= 500 or answer.raised:
        raise AssertionError(f"{told} is answered {answer.status}") from answer.raised
    if answer.status < 400:
        assert harmless(request, answer), f"{told} is answered {answer.status} {answer.body[:300]}"
    return answer.status


def harmless(request, answer):
    """Whether what succeeded is open to everybody: help with the camera, pages, the way to them."""
    path = request.path.partition("?")[0]
    if request.method != "POST":
        return True
    if path == LOOK:
        return b'"state": "passed"' not in answer.body
    if answer.status == 302:
        return answer.headers["Location"].startswith(LOGIN)
    return path == VERIFY and b"true" not in answer.body


def state():
    """All that an attacker might have changed."""
    vain = FaceEvent.objects.filter(kind__in=["refused", "locked", "checked"])
    return (
        [*User.objects.order_by("pk").values()],
        sum("_auth_user_id" in session.get_decoded() for session in Session.objects.all()),
        FaceEvent.objects.exclude(pk__in=vain).count(),
        vain.filter(outcome="accepted").count(),
    )


def resident(process="self"):
    """How much memory a process holds, in bytes."""
    pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")
