"""Whose picture is looked at next: one for each core at a time.

Visitors who are about to log in come before those who begin, and one core is theirs alone, so
frames that only guide somebody never keep a login waiting. Among equals, networks take turns, then
the addresses of a network, then the trusted devices at an address.
"""

from __future__ import annotations

import itertools
from collections import Counter, OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from operator import attrgetter
from threading import Event, Lock

# How far along a visitor is. A challenge that is answered adds one for each step that was seen.
GUIDANCE, BEGINNING, ANSWERING, FORM = 0, 1, 2, 100

# How many pictures wait in a process at most, each of which holds a thread: in all, and of one
# address before the first step is shown. When more come, the longest queue loses its last one.
PLACES, PLACES_TO_BEGIN = 48, 8

# Of how many networks, addresses and devices a process remembers when it was their turn.
MAX_KNOWN = 10_000

Line = tuple[str, ...]


@dataclass(frozen=True)
class Visitor:
    """Who sends a picture.

    Attributes:
        line: Where the visitor waits: network, address and trusted device.
        rank: How far along the visitor is.
    """

    line: Line = ("", "", "")
    rank: int = FORM

    @property
    def begins(self) -> bool:
        """True if no step was shown to the visitor."""
        return self.rank < ANSWERING


_NOBODY = Visitor()
_visitor: ContextVar[Visitor] = ContextVar("visitor", default=_NOBODY)


@contextmanager
def of(line: Line, rank: int) -> Iterator[None]:
    """Let what is looked at meanwhile be somebody's: see `Visitor`."""
    token = _visitor.set(Visitor(line, rank))
    try:
        yield
    finally:
        _visitor.reset(token)


@dataclass(eq=False)
class _Waiting:
    visitor: Visitor
    number: int
    called: Event = field(default_factory=Event)
    admitted: bool = False

    @property
    def after_others(self) -> tuple[int, int]:
        """The order in which those of one line are sent away, the greatest first."""
        return -self.visitor.rank, self.number

    def begins_like(self, other: _Waiting) -> bool:
        """Return True if both are in one line, and no step was shown to either."""
        first, second = self.visitor, other.visitor
        return first.line == second.line and first.begins and second.begins


class Turns:
    """A semaphore that admits by rank, and in turn among equals.

    Those who only begin never have the last turn, unless it is the only one.

    Args:
        count: The number of pictures that are looked at at the same time.
    """

    def __init__(self, count: int) -> None:
        self._free, self._free_to_begin = count, max(count - 1, 1)
        self._waiting: list[_Waiting] = []
        self._served: OrderedDict[Line, int] = OrderedDict()
        self._numbers = itertools.count()
        self._lock = Lock()

    def acquire(self, timeout: float) -> Visitor | None:
        """Wait for a turn.

        Args:
            timeout: In seconds.

        Returns:
            The visitor, for `release`; None if no turn came in time, or too many are waiting.
        """
        visitor = _visitor.get()
        with self._lock:
            if self._may_go(visitor):
                self._admit(visitor)
                return visitor
            waiting = _Waiting(visitor, next(self._numbers))
            self._waiting.append(waiting)
            beginners = [each for each in self._waiting if each.begins_like(waiting)]
            if len(beginners) > PLACES_TO_BEGIN:
                self._call(max(beginners, key=attrgetter("after_others")))
            elif len(self._waiting) > PLACES:
                self._dismiss()
        waiting.called.wait(timeout)
        with self._lock:
            if not waiting.called.is_set():
                self._waiting.remove(waiting)
            return visitor if waiting.admitted else None

    def release(self, visitor: Visitor) -> None:
        """Give the turn of a visitor to the next one."""
        with self._lock:
            self._free += 1
            self._free_to_begin += visitor.begins
            ready = [each for each in self._waiting if self._may_go(each.visitor)]
            if ready:
                chosen = max(ready, key=self._order)
                chosen.admitted = True
                self._admit(chosen.visitor)
                self._call(chosen)

    def _may_go(self, visitor: Visitor) -> bool:
        # Nobody waits who may go.
        return self._free > 0 and (not visitor.begins or self._free_to_begin > 0)

    def _order(self, waiting: _Waiting) -> tuple[int, ...]:
        """Return what decides who is next; the greatest is."""
        line = waiting.visitor.line
        served = [-self._served.get(line[: depth + 1], -1) for depth in range(len(line))]
        return waiting.visitor.rank, *served, -waiting.number

    def _dismiss(self) -> None:
        """Send away the last one of the longest queue."""
        lengths = Counter(each.visitor.line for each in self._waiting)
        last = max(self._waiting, key=lambda each: (lengths[each.visitor.line], each.after_others))
        self._call(last)

    def _call(self, waiting: _Waiting) -> None:
        self._waiting.remove(waiting)
        waiting.called.set()

    def _admit(self, visitor: Visitor) -> None:
        self._free -= 1
        self._free_to_begin -= visitor.begins
        for depth in range(len(visitor.line)):
            part = visitor.line[: depth + 1]
            self._served[part] = next(self._numbers)
            self._served.move_to_end(part)
        while len(self._served) > MAX_KNOWN:
            self._served.popitem(last=False)
