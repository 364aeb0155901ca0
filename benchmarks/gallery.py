"""Measure the gallery in memory: load it, search it, and change one face among very many.

Run ``python -m benchmarks.gallery 10000 100000``.
"""

from __future__ import annotations

import argparse
import gc
import time
from pathlib import Path
from statistics import median, quantiles
from threading import Lock
from typing import Any

import numpy as np

import benchmarks.environment  # noqa: F401
from benchmarks import made_up
from benchmarks.login import site
from benchmarks.trusted import enrol_made_up
from faceauth import enrolment
from faceauth.gallery.memory import OVERLAP, Gallery

ROUNDS = 60


class _TimedLock:
    """A lock that notes how long it was held, in milliseconds of CPU time."""

    def __init__(self) -> None:
        self._lock = Lock()
        self.held: list[float] = []

    def __enter__(self) -> None:
        self._lock.acquire()
        self._since = time.thread_time()

    def __exit__(self, *_: object) -> None:
        self.held.append((time.thread_time() - self._since) * 1000)
        self._lock.release()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gallery", description=__doc__)
    parser.add_argument("people", nargs="*", type=int, default=[10_000, 100_000])
    options = parser.parse_args()
    heading = (
        *("people", "load", "memory", "peak while loading", "search"),
        *("lock held, nothing changed", "lock held, one face changed"),
    )
    print(f"| {' | '.join(heading)} |\n|{' --- |' * len(heading)}")
    for count in options.people:
        print(f"| {count:,} | {' | '.join(_row(count))} |", flush=True)


def _row(people: int) -> list[str]:
    """Return the cells of a row: medians of CPU time, except that loading is one run."""
    from django.contrib.auth import get_user_model

    with site():
        users: Any = get_user_model()
        somebody = users.objects.create_user("somebody", "somebody@example.com")
        enrolment.enrol(somebody, _face(0))
        enrol_made_up(people - 1)
        # Long ago, so that only later changes are read again.
        users.objects.update(face_changed_at=somebody.date_joined - 10 * OVERLAP)
        gallery: Any = Gallery()
        lock = gallery._lock = _TimedLock()
        gc.collect()
        before = _reset_peak()
        start = time.process_time()
        gallery.nearest(_face(0))
        load, (after, peak) = time.process_time() - start, _memory()
        searches, changes = [], []
        for number in range(ROUNDS):
            enrolment.enrol(somebody, _face(number))
            gallery.nearest(_face(number))
            changes.append(lock.held[-1])
            start = time.thread_time()
            (best, _) = gallery.nearest(_face(number))
            searches.append((time.thread_time() - start) * 1000 - lock.held[-1])
            assert best.key == somebody.pk, "the change was not seen"
        quiet = lock.held[2::2]
        return [
            f"{load:.1f} s",
            f"{after - before:.0f} MB",
            f"{peak - before:.0f} MB",
            _describe(searches),
            _describe(quiet),
            _describe(changes),
        ]


def _describe(times: list[float]) -> str:
    return f"{median(times):.1f} ms (95 %: {quantiles(times, n=20)[-1]:.1f})"


def _face(number: int) -> Any:
    """Return five shots of one of many people, float32 (5, 128)."""
    face = made_up.people(1, seed=number + 1)
    # Pictures of one sitting differ less than those of several days.
    return made_up.unit(face + 0.3 * (made_up.looks(np.repeat(face, 5, axis=0)) - face))


def _reset_peak() -> float:
    """Forget the highest use of memory so far. Return the current one, in megabytes."""
    Path("/proc/self/clear_refs").write_text("5")
    return _memory()[0]


def _memory() -> tuple[float, float]:
    """Return the memory that is in use, and the most that was, in megabytes."""
    lines = Path("/proc/self/status").read_text().splitlines()
    values = dict(line.split(":", 1) for line in lines)
    now, peak = (int(values[name].split()[0]) / 1024 for name in ("VmRSS", "VmHWM"))
    return now, peak


if __name__ == "__main__":
    main()
