"""What ``face_recognise`` found, as files and in words."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from django.utils.translation import gettext as _

from faceauth.recognition.policy import Outcome

from . import files, messages
from .recognition import Found, Picture

COLUMNS = (
    "file",
    "problem",
    "left",
    "top",
    "right",
    "bottom",
    "outcome",
    "name",
    "distance",
    "limit",
    "head_size",
    "inter_eye_distance",
    "luminance_mean",
    "sharpness",
    "head_pose_yaw",
    "head_pose_pitch",
)


def results(pictures: Sequence[Picture], known: int, root: Path) -> dict[str, Any]:
    """Everything, as JSON has it: counts, and every picture with its faces."""
    found = [face for picture in pictures for face in picture.faces]
    outcomes = [face.decision.outcome for face in found]
    named = outcomes.count(Outcome.ACCEPTED)
    unsure = outcomes.count(Outcome.AMBIGUOUS)
    return {
        "known": known,
        "pictures": {
            "found": len(pictures),
            "without_faces": sum(not each.faces and not each.problem for each in pictures),
            "unreadable": sum(bool(each.problem) for each in pictures),
        },
        "faces": {
            "found": len(found),
            "named": named,
            "ambiguous": unsure,
            "unknown": len(found) - named - unsure,
        },
        "results": [_picture(each, root) for each in pictures],
    }


def text(found: dict[str, Any]) -> str:
    """The counts in words."""
    pictures, faces = found["pictures"], found["faces"]
    seen = _(
        "Pictures: %(found)d. Without a face: %(without_faces)d, not readable: %(unreadable)d."
    )
    told = _(
        "Faces: %(found)d. Named: %(named)d, ambiguous: %(ambiguous)d, unknown: %(unknown)d. "
        "People compared with: %(known)d."
    )
    return f"{seen % pictures}\n{told % {**faces, 'known': found['known']}}"


def write_csv(file: Path, pictures: Iterable[dict[str, Any]]) -> None:
    """A line for every face of the results' pictures, and for every picture without one.

    Raises:
        OSError: it cannot be written.
    """
    # With a mark at its beginning, without which spreadsheets take names for Latin-1.
    with file.open("w", encoding="utf-8-sig", newline="") as opened:
        lines = csv.DictWriter(opened, COLUMNS)
        lines.writeheader()
        for picture in pictures:
            common = {"file": picture["file"], "problem": picture["problem"]}
            for face in picture["faces"] or [{}]:
                sides = zip(("left", "top", "right", "bottom"), face.get("box", ()), strict=False)
                rest = {key: face[key] for key in COLUMNS if key in face}
                lines.writerow({**common, **dict(sides), **rest, **face.get("quality", {})})


def _picture(picture: Picture, root: Path) -> dict[str, Any]:
    width, height = picture.size
    return {
        "file": files.named(picture.path, root),
        "problem": picture.problem,
        "text": messages.of_photo(picture.problem) if picture.problem else "",
        "width": width,
        "height": height,
        "faces": [_face(each) for each in picture.faces],
    }


def _face(found: Found) -> dict[str, Any]:
    """A face; who is nearest to a stranger is nobody's business, and not in it."""
    match, limit = found.decision.match, found.decision.limit
    return {
        "box": list(found.box),
        "outcome": found.decision.outcome.value,
        "name": found.name or None,
        "distance": round(match.distance, 4) if match else None,
        "limit": round(limit.distance, 4) if limit else None,
        "quality": {name: round(each, 3) for name, each in found.quality._asdict().items()},
    }
