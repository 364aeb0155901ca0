"""Check that faces and events are deleted in time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import django.db
from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.core.checks import CheckMessage, Tags, Warning, register

from faceauth import conf, faces
from faceauth.privacy import retention

from .database import count_users
from .settings import Configs, setting_errors

# The number of days that `face_purge` may be late before a warning.
GRACE = 14


@register(Tags.security)
def check_periods(app_configs: Configs, **kwargs: Any) -> list[CheckMessage]:
    """Check that faces and events are not kept for ever."""
    if setting_errors():
        return []
    found: list[CheckMessage] = []
    for key, name in ("KEEP_UNUSED_FACES_DAYS", "faces"), ("KEEP_EVENTS_DAYS", "events"):
        if getattr(conf.get(), key) is None:
            message = f"FACEAUTH[{key!r}] is None: {name} are kept for ever."
            hint = "Data about faces may only be kept while it is needed: set a number of days."
            found.append(Warning(message, hint=hint, id="faceauth.W010"))
    return found


@register(Tags.database)
def check_purge(
    app_configs: Configs, databases: Sequence[str] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """Check that nothing is kept longer than the site's notice says."""
    if setting_errors() or not count_users(databases or ()):
        return []
    try:
        faces_due, events_due = _overdue()
    except django.db.Error:
        return []
    if not faces_due and not events_due:
        return []
    message = (
        "More is kept than the site's notice says. Overdue for deletion by more than "
        f"{GRACE} days: faces: {faces_due:,}, events: {events_due:,}."
    )
    return [Warning(message, hint="Run manage.py face_purge daily.", id="faceauth.W011")]


def _overdue() -> tuple[int, int]:
    """Return the number of faces and of events that should have been deleted `GRACE` days ago."""
    config = conf.get()
    faces_due = events_due = 0
    if config.KEEP_UNUSED_FACES_DAYS is not None:
        due = faces.user_condition(retention.unused_faces(config.KEEP_UNUSED_FACES_DAYS + GRACE))
        users = get_user_model()._base_manager.filter(due)
        # `face_purge` spares users without a password, who could not log in any more.
        if faces.known_conditions(password=""):
            users = users.exclude(password__startswith=UNUSABLE_PASSWORD_PREFIX)
        faces_due = users.count()
    if config.KEEP_EVENTS_DAYS is not None:
        events_due = retention.old_events(config.KEEP_EVENTS_DAYS + GRACE).count()
    return faces_due, events_due
