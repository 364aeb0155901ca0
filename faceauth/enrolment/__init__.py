"""Put faces into accounts and take them out again."""

from __future__ import annotations

from .consent import Consent, agree, consent_is_outdated
from .lifecycle import (
    ENROLLED,
    NOTHING,
    SAME_PERSON_WITHIN,
    SAME_PICTURE_WITHIN,
    check_no_copies,
    check_same_person,
    enrol,
    remove,
    revoke,
    same_picture,
)

__all__ = [
    "ENROLLED",
    "NOTHING",
    "SAME_PERSON_WITHIN",
    "SAME_PICTURE_WITHIN",
    "Consent",
    "agree",
    "consent_is_outdated",
    "check_no_copies",
    "check_same_person",
    "enrol",
    "remove",
    "revoke",
    "same_picture",
]
