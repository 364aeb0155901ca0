"""The project's databases: transactions, batches of rows, and local times."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.db import router, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

# The number of rows that are written in one transaction.
BATCH = 500


def atomic(model: Any) -> Any:
    """Return a transaction in the database to which rows of this model are written."""
    return transaction.atomic(using=router.db_for_write(model))


def roll_back(model: Any) -> None:
    """Roll back the innermost such transaction when it ends."""
    transaction.set_rollback(True, using=router.db_for_write(model))


def is_lost(model: Any) -> bool:
    """Return True if a transaction for this model is open and can only be rolled back.

    So it is after the server went away: going on would end as if it had been committed.
    """
    return transaction.get_connection(router.db_for_write(model)).needs_rollback


def batches(rows: QuerySet) -> Iterator[list[Any]]:
    """Yield rows in lists of `BATCH` or fewer, in the order of their primary keys.

    Each list is read only when it is needed. The caller may remove rows of a list from the
    queryset; every row that stays is yielded once.

    Args:
        rows: A queryset of instances, or of primary keys alone.
    """
    ordered, beyond = rows.order_by("pk"), Q()
    while batch := list(ordered.filter(beyond)[:BATCH]):
        yield batch
        beyond = Q(pk__gt=getattr(batch[-1], "pk", batch[-1]))


def to_local_time(time: datetime) -> datetime:
    """Convert a time from the database to the site's time zone.

    Without ``USE_TZ``, the database holds local times already.
    """
    return timezone.localtime(time) if timezone.is_aware(time) else time
