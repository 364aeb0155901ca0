"""A way to keep passwords that takes a moment, and tells how many were compared at once."""

from __future__ import annotations

import time
from threading import Lock
from typing import Any

from django.contrib.auth.hashers import MD5PasswordHasher

SECONDS = 0.1


class SlowHasher(MD5PasswordHasher):
    """Hash passwords slowly, whether or not there is such an account, as Django's hashers do."""

    now = most = 0
    _lock = Lock()

    def encode(self, *arguments: Any) -> str:
        """Return the hash."""
        with self._lock:
            SlowHasher.now += 1
            SlowHasher.most = max(self.now, self.most)
        time.sleep(SECONDS)
        with self._lock:
            SlowHasher.now -= 1
        return super().encode(*arguments)
