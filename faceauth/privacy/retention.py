"""Retention: find the faces, events and devices that have been kept for long enough."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from faceauth import faces
from faceauth.audit import events
from faceauth.liveness import replay
from faceauth.models import (
    DeviceTrust,
    EmailCode,
    FaceChallenge,
    FaceDevice,
    FaceEvent,
    FaceTake,
    LoginTiming,
    RequestCount,
    UsedItem,
)

# A device without users is kept for this long, because it may be about to get its first one.
NEW = timedelta(hours=1)


def unused_faces(days: int) -> Q:
    """Return a condition on faces: neither enrolled nor used for a login in this many days."""
    last = _ago(days)
    idle = Q(face_last_used_at__isnull=True) | Q(face_last_used_at__lt=last)
    return idle & Q(face_enrolled_at__lt=last)


def old_events(days: int) -> QuerySet[FaceEvent]:
    """Return the events that are older than this many days."""
    return FaceEvent.objects.filter(at__lt=_ago(days))


def old_timings(days: int) -> QuerySet[LoginTiming]:
    """Return the times of logins that are older than this many days."""
    return LoginTiming.objects.filter(at__lt=_ago(days))


def old_takes() -> QuerySet[FaceTake]:
    """Return how the head moved at logins that are too old, and of people without a face."""
    without_face = Q(**{f"user__{faces.user_lookup('face_encodings')}__isnull": True})
    return FaceTake.objects.filter(Q(at__lt=_ago(replay.DAYS)) | without_face)


def unused_trusts(days: int) -> QuerySet[DeviceTrust]:
    """Return the trusts that have not been used in this many days."""
    return DeviceTrust.objects.filter(last_used_at__lt=_ago(days))


def unused_devices(days: int) -> QuerySet[FaceDevice]:
    """Return the browsers that no user trusts any more, without the `unused_trusts`."""
    trusts = DeviceTrust.objects.filter(device=OuterRef("pk"), last_used_at__gte=_ago(days))
    old = Q(kind=FaceDevice.Kind.BROWSER, created_at__lt=timezone.now() - NEW)
    return FaceDevice.objects.filter(old, ~Exists(trusts))


def expired_rows() -> list[QuerySet]:
    """Return the expired rows: counts of requests, emailed codes, used nonces and challenges."""
    models = (RequestCount, EmailCode, UsedItem, FaceChallenge)
    return [model.objects.filter(forget_at__lt=timezone.now()) for model in models]


def hashes_of_removed_faces() -> list[str]:
    """Return the `FaceEvent.nearest` of all events that stand for no enrolled face.

    The face was removed during the attempt, or ``SECRET_KEY`` has changed: then a removal would not
    find the event.
    """
    # Read before the faces, so that each of these faces was enrolled before.
    stored = FaceEvent.objects.exclude(nearest="").order_by().values_list("nearest", flat=True)
    found = {*stored.distinct()}
    if not found:
        return []
    enrolled = faces.rows().filter(face_encodings__isnull=False).values_list("pk", flat=True)
    return sorted(found - {events.hash_of_nearest(key) for key in enrolled.iterator()})


def _ago(days: int) -> datetime:
    return timezone.now() - timedelta(days=days)
