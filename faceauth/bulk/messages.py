"""Why a photo was not used or a person not enrolled, as messages for the operator.

`errors` has the messages for visitors, under the same codes.
"""

from __future__ import annotations

from typing import Any

PHOTO_REASONS = {
    "hidden": "a hidden file",
    "link": "a link; links are not followed",
    "no_picture": "not a picture",
    "nested": "a folder in a person's folder",
    "unnamed": "no username in the file name",
    "no_username": "no username in this line",
    "outside": "outside the folder of photos",
    "missing": "no such file",
    "other_email": "the email address differs from the one in an earlier line",
    "unreadable": "the file cannot be read",
    "bad_image": "the file is empty or damaged",
    "unsupported_type": "not a picture that can be read",
    "too_large": "the file is too large, or the picture has too many pixels",
    "no_face": "no face found",
    "several_faces": "several faces: %(faces)d",
    "too_small": "the face is %(height)d pixels tall; at least %(minimum)d are needed",
    "too_dark": "too dark",
    "too_bright": "too bright",
    "blurred": "blurred",
    "same_picture": "a copy of another photo",
    "not_same_person": "a different person than in the other photos",
    "enough": "not needed after %(limit)d good photos",
}

PERSON_REASONS = {
    "no_photos": "no photos",
    "none_usable": "none of the photos can be used",
    "too_few": "usable photos: %(shots)d, needed: %(minimum)d",
    "not_same_person": "the photos show different people",
    "unknown": "no such user; with --create, one is created",
    "several_users": "several usernames differ from this one only in upper and lower case",
    "inactive": "the account is not active",
    "invalid": "no account can be created: %(why)s",
    "look_alike": "the face is nearly the same as the face of %(who)s",
    "account_gone": "the account was deleted in the meantime",
}


def photo_reason(code: str, details: dict[str, Any] | None = None) -> str:
    """Return the message for a photo that was not used."""
    return PHOTO_REASONS[code] % (details or {})


def person_reason(code: str, details: dict[str, Any] | None = None) -> str:
    """Return the message for a person who was not enrolled."""
    return PERSON_REASONS[code] % (details or {})
