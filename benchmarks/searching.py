"""Measure searches among very many people, in memory and in PostgreSQL.

Run ``python -m benchmarks.searching 10000 100000``. A million people take 45 minutes, 4 GB of
memory and 5 GB of disk.

The first table is about the search. Two of its indexes are not in the product, but were candidates
for it. The second table says what a face alone can mean among as many people: the rates that are
set, and the false non-match rate that the calibration has for them.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from io import StringIO
from pathlib import Path
from statistics import median, quantiles
from typing import Any, NamedTuple

import django
import numpy as np

from benchmarks.speed import timed
from tests.support import postgres

PROBES = 200
BATCH = 5000

# An index is built several times faster if it fits into this memory.
BUILDING = "-c maintenance_work_mem=2GB -c max_parallel_maintenance_workers=1"

SHOTS_AND_FRAMES = ((3, 1), (5, 1), (5, 3))


class Index(NamedTuple):
    """An index that the product does not have.

    Attributes:
        name: Its name in the table.
        indexed: What is indexed, and by which operators.
        order: The order of the rows for a probe.
        candidates: How many rows are fetched and compared exactly, each number a search.
    """

    name: str
    indexed: str
    order: str
    candidates: tuple[int, ...]


class Found(NamedTuple):
    """The median and the 95th percentile in milliseconds, and the two nearest people, by probe."""

    median: float
    slow: float
    nearest: list[list[Any]]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.searching", description=__doc__)
    parser.add_argument("people", nargs="*", type=int, default=[10_000, 100_000])
    options = parser.parse_args()

    os.environ["STATIC_ROOT"] = str(Path(__file__).parent)
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.projects.site.pgvector"
    os.environ["DATABASE_URL"] = postgres.start()
    os.environ["PGOPTIONS"] = BUILDING
    django.setup()
    _print(
        ("search", "median", "95 %", "nearest found", "both nearest", "size", "built"),
        searches,
        options.people,
    )
    _print(
        ("false-match rate of each", "enrolled, shown", "refused", "known"),
        meanings,
        options.people,
    )


def _print(heading: tuple[str, ...], rows: Callable[[int], Any], counts: list[int]) -> None:
    print(f"\n| people | {' | '.join(heading)} |\n|{' --- |' * (len(heading) + 1)}")
    for count in counts:
        for row in rows(count):
            print(f"| {count:,} | {' | '.join(row)} |", flush=True)


def searches(count: int) -> Iterator[tuple[str, ...]]:
    """Yield the cells of each way to search."""
    from django.core.management import call_command

    from benchmarks import made_up
    from faceauth.gallery import gallery
    from faceauth.gallery.memory import Gallery
    from faceauth.pgvector import index
    from faceauth.pgvector.gallery import space
    from faceauth.pgvector.models import FaceVector

    templates, random = made_up.people(count), np.random.default_rng(1)
    store(templates)
    probes = made_up.looks(templates[random.integers(count, size=PROBES)])[:, None]
    in_memory = Gallery()
    built = timed(partial(in_memory.nearest, probes[0]))
    exact = search_all(in_memory.nearest, probes)
    yield _cells("in memory", exact, exact, "", built)
    del in_memory
    yield _cells("PostgreSQL", search_all(gallery().nearest, probes), exact, "", None)
    built = timed(lambda: call_command("face_index", stdout=StringIO()))
    found = search_all(gallery().nearest, probes)
    yield _cells("PostgreSQL, face_index", found, exact, _size(index._name()), built)
    execute(f'DROP INDEX "{index._name()}"')
    for other in indexes():
        condition = f"WHERE space = '{space()}' AND NOT flagged"
        table = FaceVector._meta.db_table
        sql = f"CREATE INDEX other ON {table} USING hnsw ({other.indexed}) {condition}"
        built = timed(partial(execute, sql))
        for number in other.candidates:
            found = search_all(searcher(other, number, table, condition), probes)
            yield _cells(f"PostgreSQL, {other.name}, {number}", found, exact, _size("other"), built)
        execute("DROP INDEX other")


def indexes() -> list[Index]:
    """Return the indexes that the product could have instead."""
    from faceauth.pgvector.gallery import transformed
    from faceauth.recognition.matching import cohort

    # Signs tell something only about the differences from the middle of all faces.
    (middle,) = transformed(cohort().mean(axis=0, keepdims=True))
    size, text = len(middle), str(middle.tolist())
    bits = "binary_quantize({} - '%s'::vector)::bit(%d)"
    bits = bits.replace("%s", text).replace("%d", str(size))
    stored, asked = bits.format(f"vector::vector({size})"), bits.format("%s::vector")
    full = f"vector::vector({size})"
    return [
        Index("full precision", f"({full}) vector_l2_ops", f"{full} <-> %s::vector", (100,)),
        Index("bits", f"({stored}) bit_hamming_ops", f"{stored} <~> {asked}", (200, 1000)),
    ]


def searcher(
    index: Index, candidates: int, table: str, condition: str
) -> Callable[[Any], list[Any]]:
    """Return a search by an index, which compares the candidates as the product does."""
    from django.db import connection

    from faceauth.pgvector.gallery import MIN_EF_SEARCH, transformed
    from faceauth.recognition.matching import Templates, normalised
    from faceauth.recognition.policy import Match

    near = f"SELECT * FROM {table} {condition} ORDER BY {index.order} LIMIT {candidates}"
    sql = f"SELECT user_id, vector <-> %s::vector, margin, shots FROM ({near}) near"
    execute(f"SET hnsw.ef_search = {max(candidates, MIN_EF_SEARCH)}")

    def search(probe: Any) -> list[Any]:
        one = Templates.from_encodings([probe])
        vector = str(transformed(one.vectors)[0].tolist())
        with connection.cursor() as cursor:
            cursor.execute(sql, [vector, vector])
            matches = [
                Match(key, normalised(euclidean, float(one.margins[0]), margin), shots)
                for key, euclidean, margin, shots in cursor.fetchall()
            ]
        return sorted(matches, key=lambda match: match.distance)[:2]

    return search


def meanings(count: int) -> Iterator[tuple[str, ...]]:
    """Yield the cells of a table about logins by a face alone among as many people."""
    from faceauth import conf
    from faceauth.recognition.calibration import calibration

    rate = conf.get().MAX_FALSE_IDENTIFICATION_RATE / count
    for shots, frames in SHOTS_AND_FRAMES:
        limit = calibration().at_rate(shots, frames, rate)
        known = "measured" if limit.supported else f"measured to {limit.measured_to:.0e}"
        yield f"{rate:.0e}", f"{shots}, {frames}", f"{limit.fnmr:.1%}", known


def store(templates: Any) -> None:
    """Replace all users by users with these templates."""
    from django.contrib.auth import get_user_model
    from django.core.management import call_command
    from django.utils import timezone

    from faceauth.gallery import gallery
    from faceauth.pgvector.gallery import space, transformed
    from faceauth.pgvector.models import FaceVector
    from faceauth.recognition.matching import Templates

    users: Any = get_user_model()
    call_command("migrate", verbosity=0)
    execute(f"TRUNCATE {users._meta.db_table} CASCADE")
    # Long ago, so that no search reads them again.
    then = timezone.now() - timedelta(hours=1)
    for start in range(0, len(templates), BATCH):
        some = Templates.from_vectors(templates[start : start + BATCH])
        keys = range(start + 1, start + 1 + len(some.vectors))
        users.objects.bulk_create(
            users(
                pk=key,
                username=f"user{key}",
                email=f"user{key}@example.com",
                face_encodings=vector[None],
                face_enrolled_at=then,
                face_changed_at=then,
            )
            for key, vector in zip(keys, some.vectors, strict=True)
        )
        rows = zip(keys, transformed(some.vectors), some.margins, strict=True)
        FaceVector.objects.bulk_create(
            FaceVector(
                pk=key,
                vector=vector,
                margin=margin,
                shots=1,
                flagged=False,
                made_of=then,
                space=space(),
            )
            for key, vector, margin in rows
        )
    execute("VACUUM ANALYZE")
    gallery.cache_clear()


def search_all(search: Callable[[Any], list[Any]], probes: Any) -> Found:
    """Search for each probe."""
    search(probes[0])
    nearest: list[list[Any]] = []

    def find(probe: Any) -> None:
        nearest.append(search(probe))

    times = [timed(partial(find, probe)) for probe in probes]
    return Found(median(times), quantiles(times, n=20)[-1], nearest)


def execute(sql: str) -> Any:
    """Run a statement, and return the first value of its result, if it has one."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchone()[0] if cursor.description else None


def _cells(
    name: str, found: Found, exact: Found, size: str, built: float | None
) -> tuple[str, ...]:
    first = both = 0
    for ours, theirs in zip(found.nearest, exact.nearest, strict=True):
        ours, theirs = ([match.key for match in each] for each in (ours, theirs))
        first += ours[0] == theirs[0]
        both += {*ours} == {*theirs}
    times = f"{found.median:.1f} ms", f"{found.slow:.1f} ms"
    building = "" if built is None else f"{built / 1000:.0f} s"
    return name, *times, f"{first} of {PROBES}", f"{both} of {PROBES}", size, building


def _size(name: str) -> str:
    size = execute(f"SELECT pg_relation_size('{name}')")
    return f"{size / 2**20:.0f} MB"


if __name__ == "__main__":
    main()
