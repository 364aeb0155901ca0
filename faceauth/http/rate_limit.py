"""How often something may be asked for in a while, whatever becomes of it.

Counted in Django's cache: one that all processes share counts for all of them.
"""

from __future__ import annotations

import time
from typing import Any

from django.core.cache import cache
from django.utils.crypto import salted_hmac

from faceauth.errors import TooManyPictures

MINUTE, HOUR = 60, 60 * 60


def enforce(what: str, who: Any, most: int, seconds: int) -> None:
    """Count one more, in windows of so many seconds.

    Raises:
        TooManyPictures: there were `most` before it in this window.
    """
    window, passed = divmod(time.time(), seconds)
    # Hashed: caches are read by more people than databases.
    name = f"{what}:{who}:{window}"
    key = salted_hmac("faceauth.throttling", name, algorithm="sha256").hexdigest()
    cache.add(key, 0, seconds)
    try:
        count = cache.incr(key)
    except ValueError:  # dropped in between, by a cache that is full
        return
    # Some caches keep what they have counted up for their own default time only.
    cache.touch(key, seconds)
    if count > most:
        raise TooManyPictures(seconds - passed)
