"""Exact search in memory over the templates of all enrolled users.

The templates follow the database.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence, Set
from datetime import datetime, timedelta
from itertools import islice
from threading import Lock
from typing import Any

import numpy as np
from django.utils import timezone

from faceauth import faces, metrics
from faceauth.recognition.policy import Match
from faceauth.vision.encoding import Encoding

from .last_read import LastRead
from .people import People, nearest

# How long a change can take from its time stamp to the end of its transaction, including the
# differences between the clocks of several machines. Changes younger than this are read again.
OVERLAP = timedelta(minutes=2)

# How often the gallery checks for deleted users, who leave no change to be read.
SWEEP = timedelta(minutes=5)

# Up to this many changes that are known already are read again, which takes less time than to ask
# first which are new.
READ_AGAIN = 10

# Up to this many changed users are read by their keys. If there are more, all users that may have
# changed are read.
MAX_KEYS = 500

# How many users are read at once.
BATCH = 2048


class Gallery:
    """The templates of all enrolled users, one row for each. Thread-safe.

    A search first asks the database for changes since the last search: an indexed query that
    usually returns nothing. Deleted users stay for some minutes, or until `forget` is called.

    The methods are described in `gallery.Searcher`.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._searched, self._flagged = People(), People()
        # The changes that were read and can come again, because of `OVERLAP`.
        self._versions: dict[Any, datetime] = {}
        self._last_read = LastRead()
        self._swept_at = timezone.now()

    def __len__(self) -> int:
        """Return the number of people enrolled, without flagged ones, as of the last search."""
        return len(self._searched)

    def nearest(self, probe: Encoding, count: int = 2, *, flagged: bool = False) -> list[Match]:
        """Return the `count` people nearest to a probe, float32 (n, d), nearest first."""
        with metrics.stage("search"):
            with self._lock:
                self._refresh()
                blocks = (self._flagged if flagged else self._searched).blocks
            return nearest(blocks.values(), probe, count)

    def forget(self, keys: Iterable[Any]) -> None:
        """Drop people who no longer exist, until they change again."""
        with self._lock:
            self._replace({*keys}, {}, {})

    def _refresh(self) -> None:
        now = timezone.now()
        rows = faces.rows().filter(face_changed_at__isnull=False)
        if (since := self._last_read.since()) is not None:
            rows = faces.rows().filter(face_changed_at__gte=since - OVERLAP)
        if len(self._versions) > READ_AGAIN:
            # While a whole folder is being enrolled, nearly all recent changes are known already.
            stamps = rows.values_list("pk", "face_changed_at").iterator()
            new = [key for key, changed_at in stamps if self._versions.get(key) != changed_at]
            rows = rows.filter(pk__in=new) if len(new) <= MAX_KEYS else rows
        columns = ("pk", "face_changed_at", "face_flagged_at", "face_encodings")
        found = rows.values_list(*columns).iterator()
        while some := [*islice(found, BATCH)]:
            changed = [row for row in some if self._versions.get(row[0]) != row[1]]
            self._update(changed)
            self._versions.update((key, changed_at) for key, changed_at, *_ in changed)
            self._versions = {
                key: changed_at
                for key, changed_at in self._versions.items()
                if changed_at >= now - OVERLAP
            }
        self._last_read.note(now)
        self._sweep(now)

    def _sweep(self, now: datetime) -> None:
        """Drop deleted users if a sweep is due."""
        if abs(now - self._swept_at) < SWEEP:
            return
        self._swept_at = now
        stored = faces.rows().filter(face_encodings__isnull=False)
        if stored.count() != len(self._searched) + len(self._flagged):
            keys = {*stored.values_list("pk", flat=True).iterator()}
            self._replace((self._searched.keys | self._flagged.keys) - keys, {}, {})

    def _update(self, rows: Sequence[tuple[Any, datetime, datetime | None, bytes | None]]) -> None:
        """Put what was read in the place of what is known of these people."""
        field: Any = faces.model()._meta.get_field("face_encodings")
        flagged: dict[Any, Encoding] = {}
        others: dict[Any, Encoding] = {}
        for key, _changed_at, flagged_at, sealed in rows:
            encodings = None if sealed is None else field.open(key, sealed)
            if isinstance(encodings, np.ndarray):
                (others if flagged_at is None else flagged)[key] = encodings
        self._replace({row[0] for row in rows}, others, flagged)

    def _replace(
        self, keys: Set[Any], others: dict[Any, Encoding], flagged: dict[Any, Encoding]
    ) -> None:
        """Drop the people with these keys, and add others, whose face is flagged or not."""
        self._searched.replace(keys, others)
        self._flagged.replace(keys, flagged)
        metrics.set_gallery_size(len(self))
