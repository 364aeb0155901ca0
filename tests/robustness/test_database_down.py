"""PostgreSQL stops and comes back while people use the site, again and again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from contextlib import closing
from functools import partial
from typing import NamedTuple

import numpy as np
import psycopg
import pytest
from django.db import OperationalError, connection, transaction
from django.db.models.signals import pre_save

from accounts.models import User
from faceauth.audit import events
from faceauth.models import FaceEvent
from tests.robustness.busy import keep_busy, sign_up
from tests.robustness.serving import Site, Visitor
from tests.support import postgres
from tests.support.people import OBAMA
from tests.support.requirements import unavailable
from tests.support.servers import ROOT


class Outage(NamedTuple):
    """Between the outer times the database was not quite there, between the inner not at all."""

    stopping: float
    stopped: float
    starting: float
    started: float


@pytest.fixture
def database():
    try:
        with postgres.Server(durable=True) as server:
            yield server
    except postgres.Unavailable as error:
        unavailable(f"PostgreSQL cannot be had: {error}")


@pytest.fixture
def site(database, tmp_path):
    variables = {
        "DATABASE_URL": database.url,
        "DJANGO_SETTINGS_MODULE": "tests.projects.site.settings",
    }
    migrate = [sys.executable, "manage.py", "migrate", "--verbosity=0", "--skip-checks"]
    subprocess.run(migrate, cwd=ROOT, env={**os.environ, **variables}, check=True)
    with Site(tmp_path, database.url) as site:
        yield site


def test_database_that_stops_under_load_loses_nothing(stress, site, database):
    owner = Visitor(site)
    assert sign_up(owner, "owner", OBAMA).status == 200
    told, outages = keep_busy(site, owner, partial(outage, database), 10 if stress else 2)
    print(len(told), Counter((one.did, one.status) for one in told))
    # Nothing but answers, or to come back later.
    assert {one.status for one in told} == {200, 503}
    for one in told:
        if any(each.stopped < one.start and one.end < each.starting for each in outages):
            assert one.status == 503 or one.did == "guidance", one
        # With the first request after it, all is well again.
        if not any(one.end > each.stopping and one.start < each.started for each in outages):
            assert one.status == 200, one
    for did in ("members", "login", "sign up", "enrol"):
        assert {one.status for one in told if one.did == did} == {200, 503}
    faces = kept(database)
    assert faces["owner"]
    signed_up = {one.name: one for one in told if one.name}
    assert {name for name, one in signed_up.items() if one.status == 200} <= faces.keys()
    logins = Counter(one.status == 200 for one in told if one.did == "login")
    # Of those who were told to come back, some were in already.
    assert logins[True] <= recorded_logins(database) <= logins.total()
    # Who was told to come back is there with all that they gave, or is not there.
    for name in faces.keys() & signed_up:
        assert faces[name] == (signed_up[name].did == "enrol"), name


@pytest.mark.django_db(transaction=True)
def test_event_that_takes_the_transaction_with_it_is_an_error():
    def end_connection(**_signal):
        with connection.cursor() as cursor:
            process = cursor.execute("SELECT pg_backend_pid()").fetchone()
        with closing(connection.copy()) as another, another.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s)", process)

    pre_save.connect(end_connection, sender=FaceEvent)
    try:
        with pytest.raises(OperationalError), transaction.atomic():
            User.objects.create_user("ada", "ada@example.com")
            # It may fail where the user beside it is kept, but not where the user is lost.
            events.save(FaceEvent.Kind.REFUSED, None, None)
    finally:
        pre_save.disconnect(end_connection, sender=FaceEvent)
    assert not User.objects.exists()


def outage(database, number):
    time.sleep(1.5)
    stopping = time.monotonic()
    # In turns, with and without time to tidy up.
    database.stop([signal.SIGQUIT, signal.SIGINT][number % 2])
    stopped = time.monotonic()
    time.sleep(1)
    starting = time.monotonic()
    database.start()
    started = time.monotonic()
    time.sleep(1.5)
    return Outage(stopping, stopped, starting, started)


def kept(database):
    """Everybody in the database by name, and whether they have a face that can be read."""
    field = User._meta.get_field("face_encodings")
    with psycopg.connect(database.url) as connection:
        rows = connection.execute("SELECT id, username, face_encodings FROM accounts_user")
        return {
            name: blob is not None and isinstance(field.open(key, bytes(blob)), np.ndarray)
            for key, name, blob in rows
        }


def recorded_logins(database):
    """How many logins the log of events has."""
    with psycopg.connect(database.url) as connection:
        count = "SELECT count(*) FROM faceauth_faceevent WHERE kind = 'login'"
        return connection.execute(count).fetchone()[0]
