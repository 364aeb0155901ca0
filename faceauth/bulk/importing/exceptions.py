"""What can be wrong with a file of encodings, as a whole or in one place."""

from __future__ import annotations

from typing import Any

# More is no list of faces. All of it is in memory at once.
MOST_BYTES = 256 * 1024 * 1024


class SourceError(ValueError):
    """It cannot be read, or says not whose the encodings are: why, in words."""


class Unusable(ValueError):
    """One encoding is none: why, as `reasons` has it, with details."""

    def __init__(self, reason: str, **details: Any) -> None:
        super().__init__(reason)
        self.reason, self.details = reason, details
