"""How long faces and events are kept: which are due to go, and warnings of `checks`."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.core.checks import CheckMessage, Warning
from django.db.models import Q, QuerySet
from django.utils import timezone

from faceauth import conf, faces
from faceauth.models import FaceEvent

# How many days late `face_purge` may be before it is missed.
GRACE = 14


def unused_faces(days: int) -> Q:
    """Of faces: it was neither enrolled nor logged them in, in so many days."""
    last = _ago(days)
    idle = Q(face_last_used_at__isnull=True) | Q(face_last_used_at__lt=last)
    return idle & Q(face_enrolled_at__lt=last)


def old_events(days: int) -> QuerySet[FaceEvent]:
    """The events that are older than that."""
    return FaceEvent.objects.filter(at__lt=_ago(days))


def of_settings() -> Iterator[CheckMessage]:
    """Of what is never deleted."""
    for key, what in ("KEEP_UNUSED_FACES_DAYS", "faces"), ("KEEP_EVENTS_DAYS", "events"):
        if getattr(conf.get(), key) is None:
            message = f"FACEAUTH[{key!r}] is None: {what} are kept for ever."
            hint = "Data about faces may be kept as long as it is needed: set a number of days."
            yield Warning(message, hint=hint, id="faceauth.W010")


def of_purge() -> Iterator[CheckMessage]:
    """Of what should be gone by now."""
    now = conf.get()
    stale = events = 0
    if now.KEEP_UNUSED_FACES_DAYS is not None:
        due = faces.user_condition(unused_faces(now.KEEP_UNUSED_FACES_DAYS + GRACE))
        users = get_user_model()._base_manager.filter(due)
        # Theirs are left who have none, and would not get in any more.
        if faces.known_conditions(password=""):
            users = users.exclude(password__startswith=UNUSABLE_PASSWORD_PREFIX)
        stale = users.count()
    if now.KEEP_EVENTS_DAYS is not None:
        events = old_events(now.KEEP_EVENTS_DAYS + GRACE).count()
    if stale or events:
        message = (
            "More is kept than the site's notice says: of what should have been deleted "
            f"{GRACE} days ago or earlier there is, in faces: {stale:,}, in events: {events:,}."
        )
        yield Warning(message, hint="Have manage.py face_purge run daily.", id="faceauth.W011")


def _ago(days: int) -> datetime:
    return timezone.now() - timedelta(days=days)
