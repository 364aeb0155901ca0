"""Measure admin pages on PostgreSQL with many people (``python -m benchmarks.admin_pages``)."""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Iterator
from datetime import timedelta
from itertools import islice
from pathlib import Path
from statistics import median
from typing import Any

import django
import numpy as np

from tests.support import postgres

REPETITIONS = 7
BATCH = 2000
EVENTS_EACH = 3

# Pages that staff open, under /admin/, with their query strings.
PAGES = {
    "list of users": "accounts/user/",
    "its last page": "accounts/user/?p={last}",
    "sorted by quality": "accounts/user/?o=-8",
    "enrolled": "accounts/user/?enrolled=yes",
    "searched for a name": "accounts/user/?q=user77",
    "a user": "accounts/user/7/change/",
    "events": "faceauth/faceevent/",
    "refused": "faceauth/faceevent/?outcome=not_recognised",
    "dashboard": "faceauth/faceevent/dashboard/",
}


def people(count: int) -> Iterator[Any]:
    """Yield users, two out of three with a face."""
    from django.contrib.auth import get_user_model
    from django.utils import timezone

    from faceauth.enrolment import shots

    random, now = np.random.default_rng(1), timezone.now()
    for number in range(1, count + 1):
        name = f"user{number}"
        user: Any = get_user_model()(pk=number, username=name, email=f"{name}@example.com")
        if number % 3:
            notes = shots.notes(shots.Source.ELSEWHERE, [None] * 5)
            user.face_encodings = random.normal(0, 0.1, (5, 128)).astype(np.float32)
            user.face_enrolled_at = user.face_consented_at = user.face_changed_at = now
            user.face_shot_notes, user.face_quality = notes, random.uniform(0.3, 1)
            user.face_last_used_at = now if number % 2 else None
        yield user


def events(count: int) -> Iterator[Any]:
    """Yield the logins and refusals of a year, three events per user."""
    from django.utils import timezone

    from faceauth.models import FaceEvent

    random, now = np.random.default_rng(2), timezone.now()
    for number in range(count * EVENTS_EACH):
        fine = random.random() < 0.9
        yield FaceEvent(
            at=now - timedelta(days=float(random.uniform(0, 365))),
            kind=FaceEvent.Kind.LOGIN if fine else FaceEvent.Kind.REFUSED,
            outcome="accepted" if fine else "not_recognised",
            mode=FaceEvent.Mode.USERNAME,
            user_id=number % count + 1,
            distance=float(random.uniform(0.1, 0.3 if fine else 0.6)),
            max_distance=0.31,
            rate=1e-4,
            address="192.0.2.0/24",
        )


def timings(count: int) -> Iterator[Any]:
    """Yield how long the logins of a month took, one login per user."""
    from django.utils import timezone

    from faceauth.models import LoginTiming

    random, now = np.random.default_rng(3), timezone.now()
    for number in range(count):
        camera, face, steps, answer = np.cumsum(random.lognormal(-0.5, 0.5, 4)).tolist()
        yield LoginTiming(
            at=now - timedelta(days=float(random.uniform(0, 29))),
            kind=LoginTiming.Kind.values[number % 3],
            camera=camera,
            face=face,
            steps=steps,
            answer=answer,
        )


def fill(count: int) -> None:
    """Fill the database with `count` people, their events and the times of their logins."""
    from django.contrib.auth import get_user_model
    from django.db import connection

    from faceauth.models import FaceEvent, LoginTiming

    for model, rows in (
        (get_user_model(), people(count)),
        (FaceEvent, events(count)),
        (LoginTiming, timings(count)),
    ):
        while batch := list(islice(rows, BATCH)):
            model._default_manager.bulk_create(batch)
    with connection.cursor() as cursor:
        cursor.execute("SELECT setval('accounts_user_id_seq', %s)", [count])
        cursor.execute("VACUUM ANALYZE")


def measure(page: str) -> tuple[int, float]:
    """Return the number of queries of a page, and the median time to respond in milliseconds."""
    from django.contrib.auth import get_user_model
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    client, seconds = Client(), []
    client.force_login(
        get_user_model().objects.get(username="staff"), "django.contrib.auth.backends.ModelBackend"
    )
    with CaptureQueriesContext(connection) as queries:
        response = client.get(f"/admin/{page}")
    assert response.status_code == 200, f"{page}: {response.status_code}"
    count = len(queries)
    for _ in range(REPETITIONS):
        start = time.perf_counter()
        client.get(f"/admin/{page}")
        seconds.append(time.perf_counter() - start)
    return count, 1000 * median(seconds)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.admin_pages", description=__doc__)
    parser.add_argument("--people", type=int, default=100_000, metavar="N")
    count = parser.parse_args().people
    with postgres.Server() as server:
        os.environ["DATABASE_URL"] = server.url
        os.environ["STATIC_ROOT"] = str(Path(__file__).parent)
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.projects.site.settings")
        django.setup()
        from django.conf import settings
        from django.contrib.auth import get_user_model
        from django.core.management import call_command
        from django.db import connections

        settings.ALLOWED_HOSTS.append("testserver")
        call_command("migrate", verbosity=0, skip_checks=True)
        fill(count)
        get_user_model().objects.create_superuser("staff", "staff@example.com", "password")
        print(f"{count:,} users, {count * EVENTS_EACH:,} events")
        print("Target: at most 10 queries and 300 ms\n")
        print("| | queries | ms |\n| --- | --- | --- |")
        for name, page in PAGES.items():
            queries, milliseconds = measure(page.format(last=count // 50))
            print(f"| {name} | {queries} | {milliseconds:.0f} |")
        connections.close_all()


if __name__ == "__main__":
    main()
