"""When changes were read last, by a clock that can be set back meanwhile."""

from __future__ import annotations

import time
from datetime import datetime, timedelta

from django.utils import timezone


class LastRead:
    """Up to which time stamp the changes in the database have been read."""

    def __init__(self) -> None:
        self._at: datetime | None = None
        self._ticks = 0.0

    def note(self, at: datetime) -> None:
        """Note that all changes until then have been read just now."""
        self._at, self._ticks = at, time.monotonic()

    def since(self) -> datetime | None:
        """Return from which time stamp on changes may be unread; None if all of them are.

        If the clock was set back, changes have got earlier time stamps since.
        """
        if self._at is None:
            return None
        passed = timedelta(seconds=time.monotonic() - self._ticks)
        return min(self._at, timezone.now() - passed)
