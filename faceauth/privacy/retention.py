"""Retention: find the faces and events that have been kept for long enough."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import Q, QuerySet
from django.utils import timezone

from faceauth.models import FaceEvent


def unused_faces(days: int) -> Q:
    """Return a condition on faces: neither enrolled nor used for a login in this many days."""
    last = _ago(days)
    idle = Q(face_last_used_at__isnull=True) | Q(face_last_used_at__lt=last)
    return idle & Q(face_enrolled_at__lt=last)


def old_events(days: int) -> QuerySet[FaceEvent]:
    """Return the events that are older than this many days."""
    return FaceEvent.objects.filter(at__lt=_ago(days))


def _ago(days: int) -> datetime:
    return timezone.now() - timedelta(days=days)
