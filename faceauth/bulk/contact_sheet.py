"""The contact sheet: an HTML page with all photos, and why some of them were not used."""

from __future__ import annotations

import os
from base64 import b64encode
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from django.template.loader import render_to_string

from . import files, messages
from .enrolment import Candidate
from .manifests import Unused
from .photos import Photo


def write(
    file: Path, candidates: Iterable[Candidate], unused: Sequence[Unused], *, dry_run: bool = False
) -> None:
    """Write the page, which contains the pictures, to a file that only its owner can read.

    Raises:
        OSError: The file cannot be written.
    """
    context = {
        "people": [_person(each) for each in candidates],
        "unused": [_unused(each) for each in unused],
        "dry_run": dry_run,
    }
    text = render_to_string("faceauth/contact_sheet.html", context)
    file.unlink(missing_ok=True)
    opened = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(opened, "w", encoding="utf-8") as sheet:
        sheet.write(text)


def _person(candidate: Candidate) -> dict[str, Any]:
    reason, details = candidate.reason, candidate.details
    return {
        "username": candidate.person.username,
        "outcome": candidate.outcome,
        "reason": messages.person_reason(reason, details) if reason else "",
        "alike": candidate.look_alike,
        "photos": [_photo(photo) for photo in candidate.photos],
        "unused": [_unused(each) for each in candidate.person.unused],
    }


def _photo(photo: Photo) -> dict[str, Any]:
    return {
        "name": files.printable(photo.path.name),
        "reason": messages.photo_reason(photo.reason, photo.details) if photo.reason else "",
        "good": photo.encoding is not None,
        "needless": photo.reason == "enough",
        "thumbnail": b64encode(photo.thumbnail).decode(),
    }


def _unused(each: Unused) -> dict[str, str]:
    name = each.file.name if isinstance(each.file, Path) else each.file
    return {"name": files.printable(name), "reason": messages.photo_reason(each.reason)}
