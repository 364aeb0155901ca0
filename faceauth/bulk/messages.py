"""Why a photo was not used or somebody not enrolled, in words for the staff.

What the visitor of a page is told about a picture, `errors` has, under the same codes.
"""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

OF_PHOTOS = {
    "hidden": _("hidden"),
    "link": _("a link, which is not followed"),
    "no_picture": _("no picture"),
    "nested": _("a folder in a person's folder"),
    "unnamed": _("says not whose photo it is"),
    "outside": _("outside the folder that photos are read from"),
    "missing": _("not there"),
    "other_email": _("another e-mail address than in a line before"),
    "unreadable": _("cannot be read"),
    "bad_image": _("empty or damaged"),
    "unsupported_type": _("no picture that can be read"),
    "too_large": _("too large a file, or too many pixels"),
    "no_face": _("no face found"),
    "several_faces": _("several faces: %(faces)d"),
    "too_small": _("the face is %(height)d pixels tall, %(least)d are needed"),
    "too_dark": _("too dark"),
    "too_bright": _("too bright"),
    "blurred": _("blurred"),
    "same_picture": _("a copy of another photo"),
    "not_same_person": _("another person than in the other photos"),
    "enough": _("not needed, there are %(most)d before it"),
}

OF_PEOPLE = {
    "no_photos": _("there is no photo"),
    "none_usable": _("no photo can be used"),
    "too_few": _("usable photos: %(shots)d, needed: %(least)d"),
    "not_same_person": _("the photos show different people"),
    "unknown": _("there is no such user"),
    "several_users": _("several users have this name, but for its capitals"),
    "inactive": _("the account is not active"),
    "invalid": _("no account can be made: %(why)s"),
    "look_alike": _("somebody else has nearly the same face: %(who)s"),
    "account_gone": _("the account was deleted in the meantime"),
}


def of_photo(code: str, details: dict[str, Any] | None = None) -> str:
    """Why a photo was not used."""
    return str(OF_PHOTOS[code]) % (details or {})


def of_person(code: str, details: dict[str, Any] | None = None) -> str:
    """Why somebody was not enrolled."""
    return str(OF_PEOPLE[code]) % (details or {})
