"""Exact search in memory over the templates of all enrolled users.

The templates follow the database.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import chain, islice
from operator import attrgetter
from threading import Lock
from typing import Any

import numpy as np
from django.utils import timezone
from numpy.typing import NDArray

from faceauth import faces, metrics
from faceauth.recognition.matching import Templates, smallest
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

# The maximum number of people in a block, a megabyte of numbers. A change copies a block or
# two; smaller ones make a search among very many people slower.
BLOCK = 2048


@dataclass(frozen=True, eq=False, slots=True)
class _Block:
    """Some people: their keys, numbers of shots and templates, in the same order. Never changed."""

    keys: Sequence[Any]
    shots: NDArray[np.int64]
    templates: Templates

    @classmethod
    def from_encodings(cls, people: dict[Any, Encoding]) -> _Block:
        """Return people, given the encodings of each, float32 (n, d), by key."""
        shots = np.array([len(encodings) for encodings in people.values()], np.int64)
        return cls([*people], shots, Templates.from_encodings(people.values()))

    def __len__(self) -> int:
        return len(self.keys)

    def match(self, row: int, distance: float) -> Match:
        """Return the person in a row as a match at this distance."""
        return Match(self.keys[row], distance, int(self.shots[row]))


class _People:
    """People who are searched together, in blocks.

    A change replaces the blocks that it concerns by new ones. So it takes the same time however
    many people there are, and a search in progress continues with the blocks from before.

    Attributes:
        blocks: All people, in any order.
        block_of: Each person's block, by key.
    """

    def __init__(self) -> None:
        self.blocks: tuple[_Block, ...] = ()
        self.block_of: dict[Any, _Block] = {}

    def __len__(self) -> int:
        return sum(map(len, self.blocks))

    def replace(self, keys: Set[Any], new: _Block) -> None:
        """Drop the people with these keys, and add others."""
        gone = [key for key in keys if key in self.block_of]
        if not gone and not new.keys:
            return
        old = {self.block_of[key] for key in gone}
        size = len(new) - len(gone) + sum(map(len, old))
        if not BLOCK // 2 <= size <= BLOCK:
            # New people fill the smallest block, and a block that many have left is joined to it.
            old.update(sorted(self.blocks, key=len)[:1])
        made = _joined([new, *old], without=keys)
        for key in gone:
            del self.block_of[key]
        for block in made:
            self.block_of.update(dict.fromkeys(block.keys, block))
        self.blocks = (*(block for block in self.blocks if block not in old), *made)


def _joined(blocks: Sequence[_Block], without: Set[Any]) -> list[_Block]:
    """Return all of the first block, and the others without some people, in blocks."""
    keys = [*chain.from_iterable(block.keys for block in blocks)]
    shots = np.concatenate([block.shots for block in blocks])
    pairs = zip(*(block.templates for block in blocks), strict=True)
    vectors, margins = map(np.concatenate, pairs)
    first = len(blocks[0])
    kept = [row for row, key in enumerate(keys) if row < first or key not in without]
    made = []
    for start in range(0, len(kept), BLOCK):
        rows = kept[start : start + BLOCK]
        templates = Templates(vectors[rows], margins[rows])
        made.append(_Block([keys[row] for row in rows], shots[rows], templates))
    return made


class Gallery:
    """The templates of all enrolled users, one row for each. Thread-safe.

    A search first asks the database for changes since the last search: an indexed query that
    usually returns nothing. Deleted users stay for some minutes, or until `forget` is called.

    The methods are described in `gallery.Searcher`.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._searched, self._flagged = _People(), _People()
        # The changes that were read and can come again, because of `OVERLAP`.
        self._versions: dict[Any, datetime] = {}
        self._read_until: datetime | None = None
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
            one, nearest = Templates.from_encodings([probe]), list[Match]()
            for block in blocks:
                distances = block.templates.distances(one)[:, 0]
                # Written so that a distance that is not a number hides nobody.
                if len(nearest) < count or not distances.min() >= nearest[-1].distance:
                    found = smallest(distances, count)
                    matches = [block.match(row, distance) for row, distance in found]
                    nearest = sorted([*nearest, *matches], key=attrgetter("distance"))[:count]
        return nearest

    def forget(self, keys: Iterable[Any]) -> None:
        """Drop people who no longer exist, until they change again."""
        with self._lock:
            self._replace({*keys}, {}, {})

    def _refresh(self) -> None:
        now = timezone.now()
        rows = faces.rows().filter(face_changed_at__isnull=False)
        if self._read_until is not None:
            rows = rows.filter(face_changed_at__gte=self._read_until - OVERLAP)
            # While a whole folder is being enrolled, nearly all recent changes are known already.
            stamps = rows.values_list("pk", "face_changed_at").iterator()
            new = [key for key, changed_at in stamps if self._versions.get(key) != changed_at]
            rows = rows.filter(pk__in=new) if len(new) <= MAX_KEYS else rows
        columns = ("pk", "face_changed_at", "face_flagged_at", "face_encodings")
        found = rows.values_list(*columns).iterator()
        while some := [*islice(found, BLOCK)]:
            changed = [row for row in some if self._versions.get(row[0]) != row[1]]
            self._update(changed)
            self._versions.update((key, changed_at) for key, changed_at, *_ in changed)
            self._versions = {
                key: changed_at
                for key, changed_at in self._versions.items()
                if changed_at >= now - OVERLAP
            }
        self._read_until = now
        self._sweep(now)

    def _sweep(self, now: datetime) -> None:
        """Drop deleted users if a sweep is due."""
        if now - self._swept_at < SWEEP:
            return
        self._swept_at = now
        stored = faces.rows().filter(face_encodings__isnull=False)
        if stored.count() != len(self._searched) + len(self._flagged):
            keys = {*stored.values_list("pk", flat=True).iterator()}
            self._replace({*self._searched.block_of, *self._flagged.block_of} - keys, {}, {})

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
        self._searched.replace(keys, _Block.from_encodings(others))
        self._flagged.replace(keys, _Block.from_encodings(flagged))
        metrics.set_gallery_size(len(self))
