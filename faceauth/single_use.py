"""What is taken once only, of all processes and machines."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from django.db import IntegrityError
from django.utils import timezone
from django.utils.crypto import salted_hmac

from .db import atomic
from .models import Spent


def spend(kind: str, things: Iterable[bytes], kept: timedelta) -> bool:
    """Note that these have come, for as long; whether none of them has come before."""
    now = timezone.now()
    Spent.objects.filter(forget_at__lt=now).delete()
    rows = [Spent(key=_key(kind, thing), forget_at=now + kept) for thing in things]
    try:
        # The database decides who comes first: all processes ask the same one.
        with atomic(Spent):
            Spent.objects.bulk_create(sorted(rows, key=lambda row: row.key))
    except IntegrityError:
        return False
    return True


def _key(kind: str, thing: bytes) -> str:
    """A hash that tells nobody without the key whether it is of something they have."""
    return f"{kind}:{salted_hmac('faceauth.spent', thing, algorithm='sha256').hexdigest()}"
