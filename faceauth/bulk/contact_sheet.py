"""The contact sheet: who was enrolled from which photos, and why from others not, on one page."""

from __future__ import annotations

import os
from base64 import b64encode
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from django.template.loader import render_to_string

from . import files, messages
from .enrolment import Case
from .manifests import Unused
from .photos import Photo


def write(
    file: Path, cases: Iterable[Case], unused: Sequence[Unused], *, dry_run: bool = False
) -> None:
    """Write the page, which holds the pictures themselves, for its owner alone to read.

    Raises:
        OSError: it cannot be written.
    """
    context = {
        "people": [_person(case) for case in cases],
        "unused": [_unused(each) for each in unused],
        "dry_run": dry_run,
    }
    text = render_to_string("faceauth/contact_sheet.html", context)
    file.unlink(missing_ok=True)
    opened = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(opened, "w", encoding="utf-8") as sheet:
        sheet.write(text)


def _person(case: Case) -> dict[str, Any]:
    return {
        "username": case.entry.username,
        "outcome": case.outcome,
        "reason": messages.of_person(case.reason, case.details) if case.reason else "",
        "alike": case.alike,
        "photos": [_photo(photo) for photo in case.photos],
        "unused": [_unused(each) for each in case.entry.unused],
    }


def _photo(photo: Photo) -> dict[str, Any]:
    return {
        "name": files.shown(photo.path.name),
        "reason": messages.of_photo(photo.reason, photo.details) if photo.reason else "",
        "good": photo.encoding is not None,
        "needless": photo.reason == "enough",
        "thumbnail": b64encode(photo.thumbnail).decode(),
    }


def _unused(each: Unused) -> dict[str, str]:
    name = each.file.name if isinstance(each.file, Path) else each.file
    return {"name": files.shown(name), "reason": messages.of_photo(each.reason)}
