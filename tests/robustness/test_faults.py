"""Something breaks while people use the site: nothing that they were told is lost, and all is well
again by itself. `test_database_down` stops PostgreSQL.
"""

from __future__ import annotations

import os
import resource
import signal
import time
from collections import Counter
from pathlib import Path

import pytest
from django.db import connection

from accounts.models import User
from faceauth.models import FaceEvent
from tests.robustness.busy import BROKEN, keep_busy, sign_up
from tests.robustness.serving import Site, Visitor
from tests.support.people import OBAMA
from tests.support.servers import database_url

HOUR = 3600


@pytest.fixture
def project():
    return "settings"


@pytest.fixture
def site(transactional_db, tmp_path, project):
    # Its processes note what they do, also when the disk is full.
    (tmp_path / "notes").symlink_to(os.devnull)
    with Site(tmp_path, database_url(), processes=2, settings=project) as site:
        yield site


@pytest.fixture
def owner(site):
    owner = Visitor(site)
    assert sign_up(owner, "owner", OBAMA).status == 200
    return owner


@pytest.fixture
def times(stress):
    return 10 if stress else 2


def test_killed_process_takes_nothing_with_it(site, owner, times):
    def kill(_number):
        time.sleep(1.5)
        killed = time.monotonic()
        victim = workers(site)[0]
        os.kill(victim, signal.SIGKILL)
        while victim in workers(site) or len(workers(site)) < site.processes:
            time.sleep(0.05)
        replaced = time.monotonic()
        time.sleep(1.5)
        return killed, replaced

    told, kills = keep_busy(site, owner, kill, times)
    for one in told:
        # Attempts that were cut off have failed, so the next ones may have to wait.
        if one.did == "login" and one.status == 429:
            continue
        # Only what was under way in the process ends with it.
        if not any(killed < one.end and one.start < replaced for killed, replaced in kills):
            assert one.status == 200, one
        assert one.status in (200, BROKEN), one
    check_kept(told)


@pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="Linux alone limits other processes")
def test_full_disk_loses_nothing(site, owner, times):
    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL has a disk of its own")

    def fill(_number):
        time.sleep(1.5)
        filled = time.monotonic()
        # No file can be written to: for SQLite, the same as a disk without room.
        limit(site, 0)
        time.sleep(2)
        limit(site, resource.RLIM_INFINITY)
        emptied = time.monotonic()
        time.sleep(1.5)
        return filled, emptied

    told, times_full = keep_busy(site, owner, fill, times)
    assert statuses(told) == {200, 503}
    for one in told:
        if any(filled < one.start and one.end < emptied for filled, emptied in times_full):
            assert one.did in ("members", "guidance") or one.status == 503, one
        if not any(one.end > filled and one.start < emptied for filled, emptied in times_full):
            assert one.status == 200, one
    check_kept(told)
    with connection.cursor() as cursor:
        assert cursor.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_clock_that_is_set_forwards_and_back_changes_nothing(site, owner, times):
    hours = (1, 0, -1, 0)

    def set_clock(number):
        for each in hours[2 * (number % 2) :][:2]:
            time.sleep(1)
            new = site.clock.with_suffix(".new")
            new.write_text(str(each * HOUR))
            new.replace(site.clock)
            time.sleep(1)

    told, _ = keep_busy(site, owner, set_clock, times)
    assert statuses(told) == {200}
    check_kept(told)


@pytest.mark.parametrize("project", ["cached"])
def test_cache_that_is_gone_logs_nobody_out(site, owner, times):
    def lose_cache(number):
        time.sleep(1.5)
        lost = site.cache.rename(site.cache.with_name(f"lost{number}"))
        time.sleep(1.5)
        return [*lost.iterdir()]

    told, caches = keep_busy(site, owner, lose_cache, times)
    assert all(caches)
    assert statuses(told) == {200}
    assert owner.get("/members/").status == 200
    check_kept(told)


def check_kept(told):
    """Check that the database has everything that people were told, and no half of anything."""
    print(len(told), Counter((one.did, one.status) for one in told))
    assert {one.did for one in told if one.status == 200} >= {
        "members",
        "login",
        "sign up",
        "enrol",
    }
    signed_up = {one.name: one for one in told if one.did in ("sign up", "enrol")}
    kept = {user.username: user for user in User.objects.exclude(username="owner")}
    assert {name for name, one in signed_up.items() if one.status == 200} <= kept.keys()
    for name in kept.keys() & signed_up.keys():
        assert kept[name].has_face == (signed_up[name].did == "enrol"), name
    logins = Counter(one.status == 200 for one in told if one.did == "login")
    recorded = FaceEvent.objects.filter(kind=FaceEvent.Kind.LOGIN).count()
    # Of those who heard something else, some were in already.
    assert logins[True] <= recorded <= logins.total()


def statuses(told):
    return {one.status for one in told}


def workers(site):
    pid = site.process.pid
    return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def limit(site, size):
    for each in workers(site):
        resource.prlimit(each, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
