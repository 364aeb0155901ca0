"""The results of ``face_recognise``, as files and as text."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from faceauth.recognition.policy import Outcome

from . import files, messages
from .recognition import FoundFace, Picture

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

# How many pictures of a person are named in the text.
LISTED = 5

# A cell that begins with one of these is a formula for spreadsheets.
FORMULA = ("=", "+", "-", "@", "\t", "\r")


def results(pictures: Sequence[Picture], people: int, root: Path) -> dict[str, Any]:
    """Return everything for JSON: counts, and every picture with its faces.

    Args:
        pictures: All pictures.
        people: The number of people that faces were compared with.
        root: The folder that files are named relative to.
    """
    faces = [face for picture in pictures for face in picture.faces]
    outcomes = [face.decision.outcome for face in faces]
    named = outcomes.count(Outcome.ACCEPTED)
    ambiguous = outcomes.count(Outcome.AMBIGUOUS)
    return {
        "known": people,
        "pictures": {
            "found": len(pictures),
            "without_faces": sum(not each.faces and not each.problem for each in pictures),
            "unreadable": sum(bool(each.problem) for each in pictures),
        },
        "faces": {
            "found": len(faces),
            "named": named,
            "ambiguous": ambiguous,
            "unknown": len(faces) - named - ambiguous,
        },
        "results": [_picture(each, root) for each in pictures],
    }


def text(results: dict[str, Any]) -> str:
    """Return the counts as text, and who was recognised in which pictures."""
    pictures = "Pictures: {found}. Without a face: {without_faces}, unreadable: {unreadable}."
    faces = "Faces: {found}. Recognised: {named}, ambiguous: {ambiguous}, unknown: {unknown}."
    people = f"Faces were compared with {results['known']} people."
    return "\n".join(
        (
            pictures.format(**results["pictures"]),
            faces.format(**results["faces"]) + " " + people,
            *_names(results["results"]),
        )
    )


def _names(pictures: Iterable[dict[str, Any]]) -> Iterator[str]:
    """Yield a line for each person who was recognised, with the first of their pictures."""
    found: dict[str, dict[str, None]] = {}
    for picture in pictures:
        for face in picture["faces"]:
            if name := face["name"]:
                found.setdefault(name, {})[picture["file"]] = None
    for name in sorted(found):
        first, more = [*found[name]][:LISTED], len(found[name]) - LISTED
        yield f"  {name}: {', '.join(first)}" + (f" and {more} more" if more > 0 else "")


def write_csv(file: Path, pictures: Iterable[dict[str, Any]]) -> None:
    """Write a line for each face in the results, and for each picture without one.

    Raises:
        OSError: The file cannot be written.
    """
    # With a byte order mark: without it, spreadsheets read the names as Latin-1.
    with file.open("w", encoding="utf-8-sig", newline="") as opened:
        lines = csv.DictWriter(opened, COLUMNS)
        lines.writeheader()
        for picture in pictures:
            common = {"file": picture["file"], "problem": picture["problem"]}
            for face in picture["faces"] or [{}]:
                sides = zip(("left", "top", "right", "bottom"), face.get("box", ()), strict=False)
                rest = {key: face[key] for key in COLUMNS if key in face}
                cells = {**common, **dict(sides), **rest, **face.get("quality", {})}
                lines.writerow({name: _cell(value) for name, value in cells.items()})


def _cell(value: Any) -> Any:
    """Return a value for a spreadsheet, which must not take a name for a formula."""
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value


def _picture(picture: Picture, root: Path) -> dict[str, Any]:
    width, height = picture.size
    return {
        "file": files.relative(picture.path, root),
        "problem": picture.problem,
        "text": messages.photo_reason(picture.problem) if picture.problem else "",
        "width": width,
        "height": height,
        "faces": [_face(each) for each in picture.faces],
    }


def _face(found: FoundFace) -> dict[str, Any]:
    """Return a face for JSON, without the name of the person nearest to a stranger."""
    match, limit = found.decision.match, found.decision.limit
    return {
        "box": list(found.box),
        "outcome": found.decision.outcome.value,
        "name": found.name or None,
        "distance": round(match.distance, 4) if match else None,
        "limit": round(limit.distance, 4) if limit else None,
        "quality": {name: round(each, 3) for name, each in found.quality._asdict().items()},
    }
