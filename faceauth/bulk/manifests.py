"""Who is who: names and their photos, from a folder or a CSV."""

from __future__ import annotations

import csv
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from typing import Literal, NamedTuple

from django.utils.translation import gettext as _

from . import files

# What of a file's name says whose photo it is: the ID or the NAME of ID-NAME.png, or all of it.
By = Literal["id", "name", "file"]

COLUMNS = {
    "username": ("username",),
    "email": ("email", "e-mail", "e-mail address"),
    "file": ("file", "photo"),
}


class Unused(NamedTuple):
    """A file, or a line of a CSV, that is not looked at, and why, as `reasons` has it."""

    file: Path | str
    reason: str


@dataclass
class Entry:
    """Somebody and their photos.

    username: as it was found, composed (NFC).
    email, name: theirs, "" where it is not known.
    """

    username: str
    email: str = ""
    name: str = ""
    photos: list[Path] = field(default_factory=list)
    unused: list[Unused] = field(default_factory=list)


class Roster:
    """Everybody, in the order of their first photo, and the files that are nobody's."""

    def __init__(self) -> None:
        self.unused: list[Unused] = []
        self._entries: dict[str, Entry] = {}

    @property
    def entries(self) -> list[Entry]:
        return list(self._entries.values())

    def entry(self, username: str) -> Entry:
        """The entry of that name, a new one where there was none."""
        composed = composed_name(username)
        return self._entries.setdefault(composed, Entry(composed))


def of_folder(folder: Path, by: By = "file") -> Roster:
    """Who is in a folder of ``<username>/<photos>``, of ``ID-NAME.png``, or of both.

    Raises:
        OSError: it cannot be read.
    """
    roster = Roster()
    for path, problem in files.within(folder):
        if problem:
            roster.unused.append(Unused(path, problem))
        elif path.is_dir():
            _read_folder(roster, path)
        elif named := _named(path.stem, by):
            username, name = named
            entry = roster.entry(username)
            entry.name = entry.name or name
            entry.photos.append(path)
        else:
            roster.unused.append(Unused(path, "unnamed"))
    return roster


def of_csv(file: Path, root: Path | None = None) -> Roster:
    """Who is in a CSV with the columns username, file and perhaps email: a photo a line.

    root: what the files' paths begin at, by default the CSV's folder. No file outside it is read,
        however a line names it.

    Raises:
        OSError: it cannot be read.
        ValueError: it is no such CSV.
    """
    root = (root or file.parent).resolve(strict=True)
    roster = Roster()
    for line, row in _rows(file):
        if not composed_name(row["username"]):
            roster.unused.append(Unused(_line(file, line), "unnamed"))
            continue
        entry = roster.entry(row["username"])
        email = row.get("email", "")
        if email and entry.email and email.casefold() != entry.email.casefold():
            entry.unused.append(Unused(_line(file, line), "other_email"))
            continue
        entry.email = entry.email or email
        # Written on Windows, paths have backslashes.
        path = root / row["file"].replace("\\", "/")
        if problem := _out_of_reach(path, root):
            entry.unused.append(Unused(path, problem))
        else:
            entry.photos.append(path)
    return roster


def composed_name(name: str) -> str:
    """A name without white space around it, composed: macOS's file names are not."""
    return unicodedata.normalize("NFC", files.shown(name).strip())


def _read_folder(roster: Roster, folder: Path) -> None:
    """Read the folder of one person."""
    if not composed_name(folder.name):
        roster.unused.append(Unused(folder, "unnamed"))
        return
    entry = roster.entry(folder.name)
    try:
        for path, problem in files.within(folder):
            if problem or path.is_dir():
                entry.unused.append(Unused(path, problem or "nested"))
            else:
                entry.photos.append(path)
    except OSError:
        entry.unused.append(Unused(folder, "unreadable"))


def _named(stem: str, by: By) -> tuple[str, str] | None:
    """The username that a file's name gives, and the person's name where it gives that as well;
    None where it gives none.
    """
    if by == "file":
        return (stem, "") if composed_name(stem) else None
    number, dash, name = stem.partition("-")
    number, name = composed_name(number), composed_name(name)
    if not (number and dash and name):
        return None
    return (number, name) if by == "id" else (name, "")


def _rows(file: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """The lines that have something in them: their numbers, and what is in which of `COLUMNS`."""
    try:
        text = file.read_text("utf-8-sig")
    except UnicodeDecodeError as error:
        message = _("%(file)s is not in UTF-8: save it as “CSV UTF-8”.")
        raise ValueError(message % {"file": file.name}) from error
    head = text.partition("\n")[0]
    delimiter = max(",;\t", key=head.count)
    try:
        lines = csv.reader(StringIO(text, newline=""), delimiter=delimiter, strict=True)
        places = _places(file, next(lines, []))
        for cells in lines:
            if any(map(str.strip, cells)):
                row = {
                    name: cells[place].strip() if place < len(cells) else ""
                    for name, place in places.items()
                }
                yield lines.line_num, row
    except csv.Error as error:
        message = _("%(file)s is no CSV that can be read: %(error)s.")
        raise ValueError(message % {"file": file.name, "error": error}) from error


def _line(file: Path, number: int) -> str:
    return _("%(file)s, line %(number)d") % {"file": file.name, "number": number}


def _places(file: Path, head: list[str]) -> dict[str, int]:
    """Which column is where."""
    found = [cell.strip().casefold() for cell in head]
    places = {
        name: found.index(alias)
        for name, aliases in COLUMNS.items()
        for alias in aliases
        if alias in found
    }
    for name in "username", "file":
        if name not in places:
            message = _("The first line of %(file)s names no column “%(name)s”.")
            raise ValueError(message % {"file": file.name, "name": name})
    return places


def _out_of_reach(path: Path, root: Path) -> str:
    """Why a file that a CSV names is not looked at; "" where it is."""
    try:
        if not path.resolve().is_relative_to(root):
            return "outside"
        if problem := files.unfit(path):
            return problem if path.exists() else "missing"
        return "no_picture" if path.is_dir() else ""
    except (OSError, ValueError):  # a name that no file can have
        return "missing"
