"""Errors of a file of encodings, as a whole or in one place."""

from __future__ import annotations

from typing import Any

# A larger file is not a list of faces. All of it is in memory at once.
MAX_BYTES = 256 * 1024 * 1024


class SourceError(ValueError):
    """The file cannot be read, or does not say whose its encodings are. The message says why."""


class UnusableEncoding(ValueError):
    """One encoding cannot be used.

    Attributes:
        reason: A key of `messages.ENCODING_REASONS`.
        details: The values for the placeholders of that message.
    """

    def __init__(self, reason: str, **details: Any) -> None:
        super().__init__(reason)
        self.reason, self.details = reason, details
