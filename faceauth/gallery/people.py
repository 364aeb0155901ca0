"""Exact search among very many people, and changes that cost only what they change."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence, Set
from dataclasses import dataclass, replace
from itertools import count
from operator import attrgetter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from faceauth.recognition.matching import Templates, smallest
from faceauth.recognition.policy import Match
from faceauth.vision.encoding import Encoding

# The number of rows in a block. With dlib's encodings a block has 4 MB, from where on numpy asks
# for huge pages, with which a search is a third faster.
BLOCK = 8192

# The margin in a row of somebody who has left. It makes all distances infinite.
GONE = np.float32(-np.inf)

# What is compared only if there are not enough people, because nothing is farther away.
FARTHEST = float(np.finfo(np.float32).max)


@dataclass(frozen=True, slots=True)
class Group:
    """Some people: their keys, numbers of shots and templates, in the same order."""

    keys: Sequence[Any]
    shots: NDArray[np.int64]
    templates: Templates

    @classmethod
    def from_encodings(cls, people: dict[Any, Encoding]) -> Group:
        """Return people, given the encodings of each, float32 (n, d), by key."""
        shots = np.array([len(encodings) for encodings in people.values()], np.int64)
        return cls([*people], shots, Templates.from_encodings(people.values()))

    def __len__(self) -> int:
        return len(self.keys)

    def __getitem__(self, rows: slice) -> Group:
        templates = Templates(*(column[rows] for column in self.templates))
        return Group(self.keys[rows], self.shots[rows], templates)


@dataclass(frozen=True, eq=False, slots=True)
class Block:
    """Up to `BLOCK` people, one in each row. Searches see it as it was when they began.

    A block and the one that takes its place after a change share all arrays except the margins.
    The numbers of a person who is added are written into rows that no search has read yet, and
    those of somebody who leaves stay until most of a block is left: see `People.replace`.

    Attributes:
        keys: The people, with those who have left. Later blocks append to it.
        shots: Shape (BLOCK,).
        vectors: Shape (BLOCK, d), float32: see `Templates`.
        sketches: Shape (BLOCK, k), float32: see `Templates.sketched`.
        margins: Shape (n,), float32, for the rows that are in use: see `Templates` and `GONE`.
    """

    keys: list[Any]
    shots: NDArray[np.int64]
    vectors: Encoding
    sketches: Encoding
    margins: NDArray[np.float32]

    @classmethod
    def for_people_like(cls, templates: Templates) -> Block:
        """Return a block without people, for templates of the size that these have."""
        vectors, sketches = (
            np.empty((BLOCK, each.vectors.shape[1]), np.float32)
            for each in (templates, templates.sketched())
        )
        return cls([], np.empty(BLOCK, np.int64), vectors, sketches, np.empty(0, np.float32))

    def __len__(self) -> int:
        """Return the number of rows in use, including those of people who have left."""
        return len(self.margins)

    def plus(self, group: Group) -> Block:
        """Return this block with more people, for whom there must be room."""
        rows = slice(len(self), len(self) + len(group))
        self.keys.extend(group.keys)
        self.shots[rows] = group.shots
        self.vectors[rows] = group.templates.vectors
        self.sketches[rows] = group.templates.sketched().vectors
        # Somebody whose template is not a number is near to nobody.
        added = np.where(np.isfinite(group.templates.margins), group.templates.margins, GONE)
        return replace(self, margins=np.concatenate([self.margins, added]))

    def without(self, rows: Sequence[int]) -> Block:
        """Return this block without the people in some rows."""
        margins = self.margins.copy()
        margins[rows] = GONE
        return replace(self, margins=margins)

    def living(self) -> Group:
        """Return the people who have not left."""
        rows = np.flatnonzero(self.margins != GONE)
        templates = Templates(self.vectors[rows], self.margins[rows])
        return Group([self.keys[row] for row in rows], self.shots[rows], templates)

    def bounds(self, sketch: Templates) -> NDArray[np.float32]:
        """Return a lower bound of each row's distance from a probe, given the probe's sketch."""
        sketches = Templates(self.sketches[: len(self)], self.margins)
        return sketches.distances(sketch)[:, 0]

    def distances(self, probe: Templates, rows: Any) -> NDArray[np.float32]:
        """Return the distance of some rows from a probe."""
        if len(rows) > len(self) // 4:
            # To copy so many takes longer than to compare with all.
            every = Templates(self.vectors[: len(self)], self.margins)
            return every.distances(probe)[rows, 0]
        return Templates(self.vectors[rows], self.margins[rows]).distances(probe)[:, 0]

    def nearest(self, probe: Templates, count: int, rows: Any) -> Iterable[Match]:
        """Return the `count` people in some rows who are nearest to a probe, nearest first."""
        for index, distance in smallest(self.distances(probe, rows), count):
            row = rows[index]
            yield Match(self.keys[row], distance, int(self.shots[row]))


class People:
    """People who are searched together, in blocks.

    A change takes the same time however many people there are, and a search in progress goes on
    with the people from before.

    Attributes:
        blocks: The blocks, by number. A change replaces the dictionary.
    """

    def __init__(self) -> None:
        self.blocks: dict[int, Block] = {}
        # Each person's row, counted through all blocks, by key.
        self._rows: dict[Any, int] = {}

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def keys(self) -> Set[Any]:
        """The keys of all people."""
        return self._rows.keys()

    def replace(self, keys: Iterable[Any], new: dict[Any, Encoding]) -> None:
        """Drop the people with these keys, and add others, given their encodings by key."""
        blocks, leaving = dict(self.blocks), defaultdict[int, list[int]](list)
        for key in keys:
            if (place := self._rows.pop(key, None)) is not None:
                leaving[place // BLOCK].append(place % BLOCK)
        coming = [Group.from_encodings(new)] if new else []
        for number, rows in leaving.items():
            blocks[number] = block = blocks[number].without(rows)
            # A block that a quarter of its people have left gives up the others to the last one.
            if np.count_nonzero(block.margins == GONE) > BLOCK // 4:
                coming.append(blocks.pop(number).living())
        for group in coming:
            self._append(blocks, group)
        self.blocks = blocks

    def _append(self, blocks: dict[int, Block], group: Group) -> None:
        """Add people to the last block, and as many new ones as they need."""
        while group:
            number = max(blocks, default=0)
            if number not in blocks or len(blocks[number]) == BLOCK:
                number += number in blocks
                blocks[number] = Block.for_people_like(group[:1].templates)
            used = len(blocks[number])
            first, group = group[: BLOCK - used], group[BLOCK - used :]
            blocks[number] = blocks[number].plus(first)
            self._rows.update(zip(first.keys, count(number * BLOCK + used), strict=False))


def nearest(blocks: Collection[Block], probe: Encoding, count: int) -> list[Match]:
    """Return the `count` people nearest to a probe, nearest first.

    All sketches are compared first. They rule out nearly everybody, so that few templates are left
    to be compared.

    Args:
        blocks: The people.
        probe: The probe's encodings, float32 (n, d).
        count: The maximum number of people.
    """
    one = Templates.from_encodings([probe])
    sketch = one.sketched()
    bounded = [(block, block.bounds(sketch)) for block in blocks if len(block)]
    if not bounded:
        return []
    likeliest, bounds = min(bounded, key=lambda each: each[1].min())
    rows = [row for row, _bound in smallest(bounds, count)]
    found = likeliest.distances(one, rows)
    limit = min(float(found.max()), FARTHEST) if len(found) == count else FARTHEST
    matches = [
        match
        for block, bounds in bounded
        for match in block.nearest(one, count, np.flatnonzero(bounds <= limit))
    ]
    return sorted(matches, key=attrgetter("distance"))[:count]
