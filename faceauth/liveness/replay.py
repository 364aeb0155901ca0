"""Replays: a film of an earlier login must not log in again.

Of each login of a user, how the head moved is kept, encrypted: see `takes`. A login that is nearer
to one of these, or to one on the same device, than people ever come to their own earlier ones is
a film.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.db.models import Q, QuerySet

from faceauth.db import batches
from faceauth.encryption import crypto, records
from faceauth.encryption.crypto import DecryptionError
from faceauth.models import FaceDevice, FaceTake
from faceauth.recognition.calibration import calibration

from .takes import Take, distances

# A film of a take is nearer to it than this, and another take of the same person is not. 426 of 430
# altered films of six heads were, and 6 of 1,632 pairs of takes that were made seconds apart, in
# the same light: see `evaluation.pad.replays`.
WITHIN = 1.6

# How many takes of a user are kept, and how many of a device are compared.
KEPT = 50

# How long they are kept: `face_purge` deletes older ones.
DAYS = 365


def admit(user: Any, device: FaceDevice | None, take: Take) -> bool:
    """Remember a take, and return True, unless it is a film of an earlier one: see `is_replay`."""
    if is_replay(user, device, take):
        return False
    remember(user, device, take)
    return True


def is_replay(user: Any, device: FaceDevice | None, take: Take) -> bool:
    """Return True if a take is a film of an earlier login of this user or on this device.

    Args:
        user: The user whose face was recognised.
        device: The trusted device, or None.
        take: The new take.
    """
    known = list(_read(_newest(Q(user=user))))
    if device is not None:
        known += _read(_newest(Q(device=device) & ~Q(user=user)))
    return bool((distances(take, known, calibration().scale, WITHIN) < WITHIN).any())


def remember(user: Any, device: FaceDevice | None, take: Take) -> None:
    """Keep a take, and delete the oldest one if the user has more than `KEPT`.

    Args:
        user: The user who has logged in.
        device: The trusted device, or None.
        take: How they moved.
    """
    FaceTake.objects.create(
        user=user, device=device, take=records.seal(take.pack(), _binding(user.pk))
    )
    kept = _newest(Q(user=user)).values_list("pk", flat=True)
    FaceTake.objects.filter(user=user).exclude(pk__in=list(kept)).delete()


def read_all(user: Any) -> Iterator[tuple[FaceTake, Take]]:
    """Yield the rows of a user's takes and the takes, the newest first, but not unreadable ones."""
    for row in FaceTake.objects.filter(user=user).order_by("-at", "-pk"):
        if (take := _open(row)) is not None:
            yield row, take


def encrypt_again() -> int:
    """Encrypt all takes with the current key, and delete those that can't be read.

    Returns:
        The number of takes that were encrypted with another key.
    """
    key_id, changed = crypto.record_key()[0], 0
    for batch in batches(FaceTake.objects.all()):
        for row in batch:
            if not bytes(row.take).startswith(key_id):
                changed += 1
                take = _open(row)
                if take is None:
                    FaceTake.objects.filter(pk=row.pk).delete()
                    continue
                row.take = records.seal(take.pack(), _binding(row.user_id))
                row.save(update_fields=["take"])
    return changed


def _newest(condition: Q) -> QuerySet[FaceTake]:
    return FaceTake.objects.filter(condition).order_by("-at", "-pk")[:KEPT]


def _read(rows: QuerySet[FaceTake]) -> Iterator[Take]:
    return (take for row in rows if (take := _open(row)) is not None)


def _open(row: FaceTake) -> Take | None:
    """Return the take of a row; None if no key opens it, or another version wrote it."""
    try:
        return Take.unpack(records.unseal(bytes(row.take), _binding(row.user_id)))
    except DecryptionError:
        return None


def _binding(user_key: Any) -> bytes:
    return f"take:{user_key}".encode()
