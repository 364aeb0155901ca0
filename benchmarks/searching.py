"""Measure searches among very many people, in memory and in PostgreSQL.

Run ``python -m benchmarks.searching 10000 100000``.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from functools import partial
from io import StringIO
from itertools import islice
from pathlib import Path
from statistics import median
from typing import Any

import django
import numpy as np

from benchmarks.speed import timed
from tests.support import postgres

PROBES = 200
BATCH = 5000


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.searching", description=__doc__)
    parser.add_argument("people", nargs="*", type=int, default=[10_000, 100_000])
    options = parser.parse_args()

    os.environ["STATIC_ROOT"] = str(Path(__file__).parent)
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.projects.site.pgvector"
    os.environ["DATABASE_URL"] = postgres.start()
    django.setup()
    heading = ("people", "in memory", "PostgreSQL", "with an index", "same person found")
    print(f"| {' | '.join(heading)} | time to build the index |")
    print("| --- | --- | --- | --- | --- | --- |")
    for count in options.people:
        print(f"| {count:,} | {' | '.join(row(count))} |", flush=True)


def row(count: int) -> Iterator[str]:
    """Yield the cells of a row.

    They are the medians of a search in three ways, the number of searches in which the index finds
    the same person as a comparison with all, and the time to build the index.
    """
    from django.core.management import call_command

    from faceauth.gallery import gallery
    from faceauth.recognition.matching import Templates

    vectors, random = faces(count), np.random.default_rng(1)
    store(vectors)
    chosen = vectors[random.integers(count, size=PROBES)]
    # Random probes about as far from the template as a picture at a login.
    probes = [unit(each + random.normal(0, 0.022, each.shape))[None] for each in chosen]
    in_memory = Templates.from_vectors(vectors)
    yield f"{search_all(lambda probe: in_memory.nearest(probe, 2), probes)[0]:.1f} ms"
    milliseconds, all_compared = search_all(gallery().nearest, probes)
    yield f"{milliseconds:.1f} ms"
    building = timed(lambda: call_command("face_index", stdout=StringIO()))
    milliseconds, by_index = search_all(gallery().nearest, probes)
    yield f"{milliseconds:.1f} ms"
    pairs = zip(all_compared, by_index, strict=True)
    same = sum(one[0].key == other[0].key for one, other in pairs)
    yield f"{same} of {PROBES}"
    yield f"{building / 1000:.0f} s"


def faces(count: int) -> Any:
    """Return templates with the spread of real ones, float32 (count, 128), each of length 1."""
    from faceauth.recognition.matching import cohort

    random = np.random.default_rng(0)
    values, axes = np.linalg.eigh(np.cov(cohort().T))
    # Each member of the cohort is the mean of five people, who vary more.
    spread = axes * np.sqrt(5 * np.maximum(values, 0))
    drawn = random.normal(size=(count, len(values))).astype(np.float32)
    return unit(cohort().mean(0) + drawn @ spread.T.astype(np.float32))


def store(vectors: Any) -> None:
    """Replace all users by users with these templates."""
    from django.contrib.auth import get_user_model
    from django.core.management import call_command
    from django.db import connection
    from django.utils import timezone

    from faceauth.gallery import gallery
    from faceauth.pgvector.gallery import space, transformed
    from faceauth.pgvector.models import FaceVector
    from faceauth.recognition.matching import Templates

    users: Any = get_user_model()
    call_command("migrate", verbosity=0)
    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {users._meta.db_table} CASCADE")
    # Dropping the table drops its index too.
    call_command("migrate", "faceauth_pgvector", "zero", verbosity=0)
    call_command("migrate", verbosity=0)
    now, margins = timezone.now(), Templates.from_vectors(vectors).margins
    rows = enumerate(zip(transformed(vectors), margins, strict=True), 1)
    while some := [*islice(rows, BATCH)]:
        users.objects.bulk_create(
            users(pk=key, username=f"user{key}", email=f"user{key}@example.com") for key, _ in some
        )
        FaceVector.objects.bulk_create(
            FaceVector(pk=key, vector=vector, margin=margin, shots=5, made_of=now, space=space())
            for key, (vector, margin) in some
        )
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    gallery.cache_clear()


def search_all(search: Any, probes: list[Any]) -> tuple[float, list[Any]]:
    """Return the median time of a search in milliseconds, and the results."""
    search(probes[0])
    found: list[Any] = []

    def find(probe: Any) -> None:
        found.append(search(probe))

    times = [timed(partial(find, each)) for each in probes]
    return median(times), found


def unit(vectors: Any) -> Any:
    return (vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)).astype(np.float32)


if __name__ == "__main__":
    main()
