"""Why an encoding was not used or somebody not enrolled, in words for the staff."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

from faceauth.bulk import messages

OF_ENCODINGS = {
    "unnamed": _("says not whose encoding it is"),
    "no_numbers": _("no list of numbers"),
    "wrong_size": _("%(numbers)d numbers, %(size)d are needed"),
    "wrong_bytes": _("%(bytes)d bytes, which are no %(size)d numbers"),
    "truncated": _("numbers were left out when it was written, in place of which it has “...”"),
    "damaged": _("damaged, or nothing that is read here"),
    "not_finite": _("numbers that are not finite, or only zeros"),
    "another_encoder": _("not made by the network that this site recognises faces with"),
    "same_picture": _("of the same picture as another one"),
    "not_same_person": _("of another person than the others"),
    "enough": _("not needed, there are %(most)d before it"),
}

OF_PEOPLE = {
    **messages.OF_PEOPLE,
    "no_photos": _("there is no encoding"),
    "none_usable": _("no encoding can be used"),
    "too_few": _("usable encodings: %(shots)d, needed: %(least)d"),
    "not_same_person": _("the encodings are of different people"),
}


def of_encoding(code: str, details: dict[str, Any] | None = None) -> str:
    """Why an encoding was not used."""
    return str(OF_ENCODINGS[code]) % (details or {})


def of_person(code: str, details: dict[str, Any] | None = None) -> str:
    """Why somebody was not enrolled."""
    return str(OF_PEOPLE[code]) % (details or {})
