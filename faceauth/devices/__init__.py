"""Which browser is this? The devices that users trust to log them in by face.

A face is public: a device that its owner has logged in on by something other than a face is the
possession, and the face shows who holds it.
"""

from __future__ import annotations

from .keys import new_nonce
from .trust import (
    MAX_PEOPLE,
    active,
    current,
    forget,
    log_in,
    may_trust,
    nonce_for,
    people,
    people_named,
    recognise,
    recognise_early,
    revoke,
    revoke_all,
    revoke_by_password,
    trust,
)

__all__ = [
    "MAX_PEOPLE",
    "active",
    "current",
    "forget",
    "log_in",
    "may_trust",
    "new_nonce",
    "nonce_for",
    "people",
    "people_named",
    "recognise",
    "recognise_early",
    "revoke",
    "revoke_all",
    "revoke_by_password",
    "trust",
]
