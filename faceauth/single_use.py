"""Items that are accepted only once, by all processes and machines of the site together."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from django.db import IntegrityError
from django.utils import timezone
from django.utils.crypto import salted_hmac

from .db import atomic
from .models import UsedItem


def mark_used(kind: str, items: Iterable[bytes], ttl: timedelta) -> bool:
    """Mark these items as used for `ttl`. Return False if any was used already.

    Args:
        kind: What the items are. Equal items of different kinds have nothing to do with each other.
        items: The items, as bytes. They are stored as keyed hashes.
        ttl: How long they are remembered.
    """
    now = timezone.now()
    UsedItem.objects.filter(forget_at__lt=now).delete()
    rows = [UsedItem(key=_key(kind, item), forget_at=now + ttl) for item in items]
    try:
        # The database decides which request was first: all processes share it. The keys are
        # sorted, so that no two transactions wait for each other.
        with atomic(UsedItem):
            UsedItem.objects.bulk_create(sorted(rows, key=lambda row: row.key))
    except IntegrityError:
        return False
    return True


def was_used(kind: str, item: bytes) -> bool:
    """Return True if this item was marked as used, and is remembered."""
    rows = UsedItem.objects.filter(key=_key(kind, item), forget_at__gte=timezone.now())
    return rows.exists()


def _key(kind: str, item: bytes) -> str:
    """Return a keyed hash: without the key, nobody can check whether an item was used."""
    return f"{kind}:{salted_hmac('faceauth.used', item, algorithm='sha256').hexdigest()}"
