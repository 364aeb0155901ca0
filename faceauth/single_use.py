"""What is taken once only, of all processes and machines."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from django.db import IntegrityError
from django.utils import timezone
from django.utils.crypto import salted_hmac

from .db import atomic
from .models import UsedItem


def mark_used(kind: str, items: Iterable[bytes], ttl: timedelta) -> bool:
    """Note that these have come, for as long; whether none of them has come before."""
    now = timezone.now()
    UsedItem.objects.filter(forget_at__lt=now).delete()
    rows = [UsedItem(key=_key(kind, item), forget_at=now + ttl) for item in items]
    try:
        # The database decides who comes first: all processes ask the same one.
        with atomic(UsedItem):
            UsedItem.objects.bulk_create(sorted(rows, key=lambda row: row.key))
    except IntegrityError:
        return False
    return True


def _key(kind: str, item: bytes) -> str:
    """A hash that tells nobody without the key whether it is of something they have."""
    return f"{kind}:{salted_hmac('faceauth.spent', item, algorithm='sha256').hexdigest()}"
