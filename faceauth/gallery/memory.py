"""Exact search in memory over the templates of all enrolled users.

The templates follow the database.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from threading import Lock
from typing import Any, NamedTuple

import numpy as np
from django.utils import timezone
from numpy.typing import NDArray

from faceauth import faces, metrics
from faceauth.recognition import encoders
from faceauth.recognition.matching import Templates
from faceauth.recognition.policy import Match
from faceauth.vision.encoding import Encoding

# How long a change can take from its time stamp to the end of its transaction, including the
# differences between the clocks of several machines. Changes younger than this are read again.
OVERLAP = timedelta(minutes=2)

# How often the gallery checks for deleted users, who leave no change to be read.
SWEEP = timedelta(minutes=5)

# Up to this many changed users are read by their keys. If there are more, all users that may have
# changed are read.
MAX_KEYS = 500


class _Group(NamedTuple):
    """People who are searched together: keys, numbers of shots and templates, in the same order."""

    keys: list[Any]
    shots: NDArray[np.int64]
    templates: Templates


class Gallery:
    """The templates of all enrolled users, one row for each. Thread-safe.

    A search first asks the database for changes since the last search: an indexed query that
    usually returns nothing. Deleted users stay for some minutes, or until `forget` is called.

    The methods are described in `gallery.Searcher`.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        # The vector, the margin, the number of shots, and whether the face is flagged.
        self._people: dict[Any, tuple[Encoding, np.float32, int, bool]] = {}
        self._versions: dict[Any, datetime | None] = {}
        self._read_until: datetime | None = None
        self._swept_at = timezone.now()
        self._rebuild()

    def __len__(self) -> int:
        """Return the number of people enrolled, without flagged ones, as of the last search."""
        return len(self._searched.keys)

    def nearest(self, probe: Encoding, count: int = 2, *, flagged: bool = False) -> list[Match]:
        """Return the `count` people nearest to a probe, float32 (n, d), nearest first."""
        with metrics.stage("search"):
            with self._lock:
                self._refresh()
                keys, shots, templates = self._flagged if flagged else self._searched
            found = templates.nearest(probe, count)
        return [Match(keys[row], distance, int(shots[row])) for row, distance in found]

    def forget(self, keys: Iterable[Any]) -> None:
        """Drop people who no longer exist, until they change again."""
        with self._lock:
            for key in keys:
                self._people.pop(key, None)
            self._rebuild()

    def _refresh(self) -> None:
        now = timezone.now()
        rows = faces.rows().filter(face_changed_at__isnull=False)
        if self._read_until is not None:
            rows = rows.filter(face_changed_at__gte=self._read_until - OVERLAP)
            # While a whole folder is being enrolled, nearly all recent changes are known already.
            stamps = rows.values_list("pk", "face_changed_at").iterator()
            new = [key for key, changed_at in stamps if self._versions.get(key) != changed_at]
            rows = rows.filter(pk__in=new) if len(new) <= MAX_KEYS else rows
        changed: dict[Any, Encoding | None] = {}
        flagged = set()
        for face in rows.only("face_changed_at", "face_encodings", "face_flagged_at").iterator():
            if self._versions.get(face.pk) == face.face_changed_at:
                continue
            self._versions[face.pk] = face.face_changed_at
            changed[face.pk] = face.face_encodings if face.has_face else None
            if face.face_flagged_at is not None:
                flagged.add(face.pk)
        enrolled = {key: each for key, each in changed.items() if each is not None}
        templates = Templates.from_encodings(enrolled.values())
        for key in changed:
            self._people.pop(key, None)
        for key, vector, margin in zip(enrolled, *templates, strict=True):
            self._people[key] = vector, margin, len(enrolled[key]), key in flagged
        self._read_until = now
        if self._sweep(now) or changed:
            self._rebuild()

    def _sweep(self, now: datetime) -> bool:
        """Drop deleted users if a sweep is due. Return True if there were any."""
        if now - self._swept_at < SWEEP:
            return False
        self._swept_at = now
        stored = faces.rows().filter(face_encodings__isnull=False)
        if stored.count() == len(self._people):
            return False
        keys = {*stored.values_list("pk", flat=True).iterator()}
        gone = [key for key in self._people if key not in keys]
        for key in gone:
            del self._people[key]
        return bool(gone)

    def _rebuild(self) -> None:
        # New objects: a search in progress continues with the old ones.
        self._searched, self._flagged = self._group(flagged=False), self._group(flagged=True)
        metrics.set_gallery_size(len(self))

    def _group(self, flagged: bool) -> _Group:
        """Return the flagged people, or the others."""
        people = {key: each for key, each in self._people.items() if each[3] == flagged}
        vectors, margins, shots, _ = (
            zip(*people.values(), strict=True) if people else ((), (), (), ())
        )
        shape = len(vectors), encoders.encoder().size
        templates = Templates(
            np.array(vectors, np.float32).reshape(shape), np.array(margins, np.float32)
        )
        return _Group(list(people), np.array(shots, np.int64), templates)
