"""A face into an account and out again: enrol, adapt, remove; consent, shots, look-alikes."""

from __future__ import annotations

from .consent import Consent, agree, consent_is_outdated
from .lifecycle import (
    EMPTY_COLUMNS,
    ENROLLED,
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
    "EMPTY_COLUMNS",
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
