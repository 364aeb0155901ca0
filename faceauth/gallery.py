"""Who is nearest: exact search in memory over all templates, kept up with the database."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import cache
from threading import Lock
from typing import Any

import numpy as np
from django.contrib.auth import get_user_model
from django.utils import timezone

from .policy import Match
from .vision.encoding import Encoding, template

# How long a change may take from its time stamp to the end of its transaction, clocks of several
# machines included: what is younger is read once more.
OVERLAP = timedelta(minutes=2)


class Gallery:
    """The templates of all enrolled users, one row each. Thread-safe.

    A search first asks the database for what has changed since the last one: an indexed query
    that mostly returns nothing. Users that were deleted stay until somebody calls `forget`.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._templates: dict[Any, Encoding] = {}
        self._versions: dict[Any, datetime | None] = {}
        self._read_until: datetime | None = None
        self._keys: list[Any] = []
        self._matrix: Encoding = np.empty((0, 128), np.float32)

    def nearest(self, probe: Encoding, count: int = 2) -> list[Match]:
        """The `count` people nearest to a probe, float32 (128,) of length 1, nearest first."""
        with self._lock:
            self._refresh()
            keys, matrix = self._keys, self._matrix
        # Of unit vectors the squared distance is 2 - 2 cos: one product for the whole gallery.
        distances = np.sqrt(np.maximum(2 - 2 * (matrix @ probe), 0))
        nearest = np.argsort(distances)[:count]
        return [Match(keys[row], float(distances[row])) for row in nearest]

    def forget(self, keys: Iterable[Any]) -> None:
        """Drop people who turned out to be gone, until they change again."""
        with self._lock:
            for key in keys:
                self._templates.pop(key, None)
            self._rebuild()

    def _refresh(self) -> None:
        now = timezone.now()
        users = get_user_model()._default_manager.filter(face_changed_at__isnull=False)
        if self._read_until is not None:
            users = users.filter(face_changed_at__gte=self._read_until - OVERLAP)
        changed = False
        rows: Any = users.values_list("pk", "face_changed_at", "face_encodings")
        for key, version, encodings in rows.iterator():
            if self._versions.get(key) == version:
                continue
            changed = True
            self._versions[key] = version
            if isinstance(encodings, np.ndarray):
                self._templates[key] = template(encodings)
            else:
                self._templates.pop(key, None)
        self._read_until = now
        if changed:
            self._rebuild()

    def _rebuild(self) -> None:
        # New objects: a search under way goes on with the old ones.
        self._keys = list(self._templates)
        self._matrix = np.array(list(self._templates.values()), np.float32).reshape(-1, 128)


@cache
def gallery() -> Gallery:
    """This process's gallery."""
    return Gallery()
