"""Rate limits: how often a request may be made in a period, whatever its outcome.

The counts are in Django's cache. If all processes share a cache, they share the counts.
"""

from __future__ import annotations

import time
from typing import Any

from django.core.cache import cache
from django.utils.crypto import salted_hmac

from faceauth.errors import TooManyPictures

MINUTE, HOUR = 60, 60 * 60


def enforce(action: str, client: Any, limit: int, seconds: int) -> None:
    """Count a request, and refuse it if there were too many in the current window.

    Args:
        action: What is limited, such as "preview".
        client: Whom the request is counted for: a rate-limit key or a user's primary key.
        limit: The maximum number of requests in a window.
        seconds: The length of a window.

    Raises:
        TooManyPictures: The limit was reached before this request.
    """
    window, passed = divmod(time.time(), seconds)
    # Hashed, because more people can read a cache than a database.
    name = f"{action}:{client}:{window}"
    key = salted_hmac("faceauth.throttling", name, algorithm="sha256").hexdigest()
    cache.add(key, 0, seconds)
    try:
        count = cache.incr(key)
    except ValueError:  # a full cache dropped the key in between
        return
    # Some caches give an incremented key their default timeout.
    cache.touch(key, seconds)
    if count > limit:
        raise TooManyPictures(seconds - passed)
