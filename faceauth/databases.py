"""The databases of a project: which of them a table is in, and what times it has."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import router, transaction
from django.utils import timezone


def atomic(model: Any) -> Any:
    """A transaction where rows of that model are written."""
    return transaction.atomic(using=router.db_for_write(model))


def roll_back(model: Any) -> None:
    """Have the innermost such transaction leave nothing."""
    transaction.set_rollback(True, using=router.db_for_write(model))


def local(time: datetime) -> datetime:
    """A time of the database as it is where the site is: without ``USE_TZ`` it is so already."""
    return timezone.localtime(time) if timezone.is_aware(time) else time
