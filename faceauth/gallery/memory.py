"""Exact search in memory over the templates of all enrolled users, kept up with the database."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from threading import Lock
from typing import Any

import numpy as np
from django.utils import timezone

from faceauth import faces, metrics
from faceauth.recognition import encoders
from faceauth.recognition.matching import Templates
from faceauth.recognition.policy import Match
from faceauth.vision.encoding import Encoding

# How long a change may take from its time stamp to the end of its transaction, clocks of several
# machines included: what is younger is read once more.
OVERLAP = timedelta(minutes=2)

# How often it is looked whether somebody was deleted, who leaves no change to be read.
SWEEP = timedelta(minutes=5)

# So many users are read by their keys; of more, all that may have changed are.
FEW = 500


class Gallery:
    """The templates of all enrolled users, one row each. Thread-safe.

    A search first asks the database for what has changed since the last one: an indexed query
    that mostly returns nothing. Users that were deleted stay for some minutes, or until somebody
    calls `forget`.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._people: dict[Any, tuple[Encoding, np.float32, int]] = {}
        self._versions: dict[Any, datetime | None] = {}
        self._read_until: datetime | None = None
        self._swept_at = timezone.now()
        self._rebuild()

    def __len__(self) -> int:
        """How many people are enrolled, as far as the last search knew."""
        return len(self._keys)

    def nearest(self, probe: Encoding, count: int = 2) -> list[Match]:
        """The `count` people nearest to a probe's encodings, float32 (n, d), nearest first."""
        with metrics.stage("search"):
            with self._lock:
                self._refresh()
                keys, shots, templates = self._keys, self._shots, self._templates
            found = templates.nearest(probe, count)
        return [Match(keys[row], distance, int(shots[row])) for row, distance in found]

    def forget(self, keys: Iterable[Any]) -> None:
        """Drop people who turned out to be gone, until they change again."""
        with self._lock:
            for key in keys:
                self._people.pop(key, None)
            self._rebuild()

    def _refresh(self) -> None:
        now = timezone.now()
        rows = faces.rows().filter(face_changed_at__isnull=False)
        if self._read_until is not None:
            rows = rows.filter(face_changed_at__gte=self._read_until - OVERLAP)
            # While a whole folder is enrolled, nearly all of them are known already.
            stamps = rows.values_list("pk", "face_changed_at").iterator()
            new = [key for key, changed_at in stamps if self._versions.get(key) != changed_at]
            rows = rows.filter(pk__in=new) if len(new) <= FEW else rows
        changed = {}
        for face in rows.only("face_changed_at", "face_encodings").iterator():
            if self._versions.get(face.pk) == face.face_changed_at:
                continue
            self._versions[face.pk] = face.face_changed_at
            changed[face.pk] = face.face_encodings if face.has_face else None
        enrolled = {key: each for key, each in changed.items() if each is not None}
        templates = Templates.from_encodings(enrolled.values())
        for key in changed:
            self._people.pop(key, None)
        for key, vector, margin in zip(enrolled, *templates, strict=True):
            self._people[key] = vector, margin, len(enrolled[key])
        self._read_until = now
        if self._sweep(now) or changed:
            self._rebuild()

    def _sweep(self, now: datetime) -> bool:
        """Drop who was deleted, where it is time to; whether there was somebody."""
        if now - self._swept_at < SWEEP:
            return False
        self._swept_at = now
        there = faces.rows().filter(face_encodings__isnull=False)
        if there.count() == len(self._people):
            return False
        keys = {*there.values_list("pk", flat=True).iterator()}
        gone = [key for key in self._people if key not in keys]
        for key in gone:
            del self._people[key]
        return bool(gone)

    def _rebuild(self) -> None:
        # New objects: a search under way goes on with the old ones.
        self._keys = list(self._people)
        metrics.set_gallery_size(len(self._keys))
        vectors, margins, shots = (
            zip(*self._people.values(), strict=True) if self._people else ((), (), ())
        )
        self._shots = np.array(shots, np.int64)
        shape = len(vectors), encoders.encoder().size
        self._templates = Templates(
            np.array(vectors, np.float32).reshape(shape), np.array(margins, np.float32)
        )
