"""Staff with permissions, and faces without pictures, for tests of the admin."""

from __future__ import annotations

from typing import Any

import numpy as np
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission

from faceauth.enrolment import shots
from faceauth.vision.encoding import Encoding
from faceauth.vision.quality import Quality
from tests.support.accounts import account, users
from tests.support.people import enrol_silently

# The permissions of the user model and of the event model.
SEES_USERS = ("view_user", "view_face")


def staff(name: str, *permissions: str, **fields: Any) -> Any:
    """Return a staff member with only these permissions."""
    user = users().create_user(name, f"{name}@example.com", is_staff=True, **fields)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    assert user.user_permissions.count() == len(permissions)
    return user


def made_up(seed: int, shots: int = 5, like: Encoding | None = None) -> Encoding:
    """Return encodings, float32 (shots, 128), of a made-up person or of that person's double."""
    random = np.random.default_rng(seed)
    face = random.normal(size=128) if like is None else like.mean(axis=0)
    rows = face / np.linalg.norm(face) + random.normal(0, 0.01, (shots, 128))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def taken(sharpness: float = 0.4, size: int = 200, light: float = 0.5) -> list[shots.Note]:
    """Notes on five pictures from a webcam."""
    quality = Quality(size, 60.0, light, sharpness, 0.0, 0.5)
    return shots.notes(shots.Source.WEBCAM, [quality] * 5)


def member(name: str, seed: int | None = None, notes: Any = None, **fields: Any) -> Any:
    """Create a user, with the face of the seed if one is given."""
    user = account(name, **fields)
    if seed is not None:
        enrol_silently(user, made_up(seed), None, notes or taken())
    return user


def logged() -> list[tuple[str, str, str]]:
    """Return the admin's log: who did what to whom, oldest entry first."""
    entries = LogEntry.objects.order_by("pk").select_related("user")
    return [(each.user.username, each.object_repr, each.get_change_message()) for each in entries]
