"""Requests that come at the same time, each over a database connection of its own."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from django.db import connection

from faceauth.errors import TooManyAttempts


def at_once(how_many: int, ask: Callable[[int], object]) -> int:
    """Call `ask` with 0, 1, ... in parallel threads. Return how many were not admitted."""
    barrier = Barrier(how_many)

    def one(number: int) -> int:
        try:
            connection.ensure_connection()
            barrier.wait(30)
            ask(number)
        except TooManyAttempts:
            return 1
        finally:
            connection.close()
        return 0

    with ThreadPoolExecutor(how_many) as threads:
        return sum(threads.map(one, range(how_many)))
