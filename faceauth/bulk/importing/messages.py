"""Why an encoding was not used or a person not enrolled, as messages for the operator."""

from __future__ import annotations

from typing import Any

from faceauth.bulk import messages

ENCODING_REASONS = {
    "unnamed": "no username",
    "no_numbers": "not a list of numbers",
    "wrong_size": "%(numbers)d numbers, but an encoding has %(size)d",
    "wrong_bytes": "%(bytes)d bytes are not %(size)d numbers",
    "truncated": "incomplete: the program that wrote it replaced numbers with “...”",
    "damaged": "damaged, or in an unknown format",
    "not_finite": "some numbers are not finite, or all are zero",
    "another_encoder": "not from the encoder that this site uses",
    "same_picture": "from the same picture as another encoding",
    "not_same_person": "of a different person than the other encodings",
    "enough": "not needed after %(limit)d good encodings",
}

PERSON_REASONS = {
    **messages.PERSON_REASONS,
    "no_photos": "no encodings",
    "none_usable": "none of the encodings can be used",
    "too_few": "usable encodings: %(shots)d, needed: %(minimum)d",
    "not_same_person": "the encodings are of different people",
}


def encoding_reason(code: str, details: dict[str, Any] | None = None) -> str:
    """Return the message for an encoding that was not used."""
    return ENCODING_REASONS[code] % (details or {})


def person_reason(code: str, details: dict[str, Any] | None = None) -> str:
    """Return the message for a person who was not enrolled."""
    return PERSON_REASONS[code] % (details or {})
