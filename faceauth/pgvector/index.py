"""Approximate (HNSW) index for the search, so that PostgreSQL need not compare with everybody."""

from __future__ import annotations

from django.db import connections, router

from .gallery import space
from .models import FaceVector

# With fewer people than this, PostgreSQL compares with all of them in a few milliseconds.
MIN_PEOPLE = 20_000

_PREFIX = "faceauth_vectors_"


def exists() -> bool:
    """Return True if there is an index of the current vectors."""
    return _indexes().get(_name(), False)


def create(size: int) -> bool:
    """Create the index for vectors of this size, while the site stays up.

    Indexes of outdated vectors, and incomplete ones of an interrupted attempt, are dropped first.
    The index has numbers of half the precision: it is smaller by a third, and finds the same
    people, whose distances are then computed from the vectors.

    Returns:
        True if the index was created, False if it existed already.
    """
    if exists():
        return False
    connection = connections[router.db_for_write(FaceVector)]
    quote = connection.ops.quote_name
    table, vector = quote(FaceVector._meta.db_table), quote("vector")
    with connection.cursor() as cursor:
        for name in _indexes():
            cursor.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {quote(name)}")
        # The space is safe to insert: this app makes it, of digits and letters.
        cursor.execute(
            f"CREATE INDEX CONCURRENTLY {quote(_name())} ON {table} "
            f"USING hnsw (({vector}::halfvec({size:d})) halfvec_l2_ops) "
            f"WHERE {quote('space')} = '{space()}' AND NOT {quote('flagged')}"
        )
    return True


def _name() -> str:
    # Earlier ones had full precision, and names without "half".
    return f"{_PREFIX}half_{space()}"


def _indexes() -> dict[str, bool]:
    """Return the names of this app's indexes, and whether each is complete."""
    connection = connections[router.db_for_write(FaceVector)]
    table = connection.ops.quote_name(FaceVector._meta.db_table)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT indexes.relname, pg_index.indisvalid FROM pg_index "
            "JOIN pg_class indexes ON indexes.oid = pg_index.indexrelid "
            "WHERE pg_index.indrelid = to_regclass(%s) AND starts_with(indexes.relname, %s)",
            [table, _PREFIX],
        )
        return dict(cursor.fetchall())
