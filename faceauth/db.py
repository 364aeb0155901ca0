"""The databases of a project: which of them a table is in, how to go through it, and what times it
has.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.db import router, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

# How many rows are written in one transaction.
BATCH = 500


def atomic(model: Any) -> Any:
    """A transaction where rows of that model are written."""
    return transaction.atomic(using=router.db_for_write(model))


def roll_back(model: Any) -> None:
    """Have the innermost such transaction leave nothing."""
    transaction.set_rollback(True, using=router.db_for_write(model))


def batches(rows: QuerySet) -> Iterator[list[Any]]:
    """Rows, or primary keys alone, by their primary keys: some hundreds at a time, each batch read
    when it is its turn. What is done with one may take its rows out; those that stay in come once.
    """
    ordered, beyond = rows.order_by("pk"), Q()
    while batch := list(ordered.filter(beyond)[:BATCH]):
        yield batch
        beyond = Q(pk__gt=getattr(batch[-1], "pk", batch[-1]))


def to_local_time(time: datetime) -> datetime:
    """A time of the database as it is where the site is: without ``USE_TZ`` it is so already."""
    return timezone.localtime(time) if timezone.is_aware(time) else time
