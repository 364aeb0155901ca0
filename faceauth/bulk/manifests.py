"""People and their photos, as a folder or a CSV file lists them."""

from __future__ import annotations

import csv
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from typing import Literal, NamedTuple

from . import files

# Which part of a file's name is the username: the ID or the NAME of ID-NAME.png, or all of it.
NamePart = Literal["id", "name", "file"]

COLUMNS = {
    "username": ("username",),
    "email": ("email", "e-mail", "e-mail address"),
    "file": ("file", "photo"),
}


class Unused(NamedTuple):
    """A file or a line of a CSV file that is ignored.

    Attributes:
        file: The file, or a text that names the line.
        reason: A key of `messages.PHOTO_REASONS`.
    """

    file: Path | str
    reason: str


@dataclass
class Person:
    """A person and their photos.

    Attributes:
        username: The username as it was found, in Unicode's composed form (NFC).
        email: The email address; "" if it is not known.
        name: The person's name; "" if it is not known.
        photos: The photos in the order in which they were found.
        unused: The files of this person that are ignored.
    """

    username: str
    email: str = ""
    name: str = ""
    photos: list[Path] = field(default_factory=list)
    unused: list[Unused] = field(default_factory=list)


class Manifest:
    """All people in the order of their first photo, and the files without a username."""

    def __init__(self) -> None:
        self.unused: list[Unused] = []
        self._people: dict[str, Person] = {}

    @property
    def people(self) -> list[Person]:
        """All people."""
        return list(self._people.values())

    def person(self, username: str) -> Person:
        """Return the person with that username; add them if they are new."""
        composed = composed_name(username)
        return self._people.setdefault(composed, Person(composed))


def from_folder(folder: Path, by: NamePart = "file") -> Manifest:
    """List the people in a folder of ``<username>/<photos>``, of ``ID-NAME.png``, or of both.

    Args:
        folder: The folder.
        by: The part of a file's name that is the username.

    Raises:
        OSError: The folder cannot be read.
    """
    manifest = Manifest()
    for path, problem in files.within(folder):
        if problem:
            manifest.unused.append(Unused(path, problem))
        elif path.is_dir():
            _read_folder(manifest, path)
        elif names := _split_name(path.stem, by):
            username, name = names
            person = manifest.person(username)
            person.name = person.name or name
            person.photos.append(path)
        else:
            manifest.unused.append(Unused(path, "unnamed"))
    return manifest


def from_csv(file: Path, root: Path | None = None) -> Manifest:
    """List the people in a CSV file with the columns username, file and perhaps email.

    Each line is a photo.

    Args:
        file: The CSV file.
        root: The folder that the files' paths are relative to; by default the CSV file's. No file
            outside it is read, whatever path a line has.

    Raises:
        OSError: The file cannot be read.
        ValueError: The file is not such a CSV file.
    """
    root = (root or file.parent).resolve(strict=True)
    manifest = Manifest()
    for line, row in _rows(file):
        if not composed_name(row["username"]):
            manifest.unused.append(Unused(_line_name(file, line), "no_username"))
            continue
        person = manifest.person(row["username"])
        email = row.get("email", "")
        if email and person.email and email.casefold() != person.email.casefold():
            person.unused.append(Unused(_line_name(file, line), "other_email"))
            continue
        person.email = person.email or email
        # Paths that were written on Windows have backslashes.
        path = root / row["file"].replace("\\", "/")
        if problem := _problem(path, root):
            person.unused.append(Unused(path, problem))
        else:
            person.photos.append(path)
    return manifest


def composed_name(name: str) -> str:
    """Return a name without white space around it, composed: macOS decomposes file names."""
    return unicodedata.normalize("NFC", files.printable(name).strip())


def _read_folder(manifest: Manifest, folder: Path) -> None:
    """Add the person whose folder this is."""
    if not composed_name(folder.name):
        manifest.unused.append(Unused(folder, "unnamed"))
        return
    person = manifest.person(folder.name)
    try:
        for path, problem in files.within(folder):
            if problem or path.is_dir():
                person.unused.append(Unused(path, problem or "nested"))
            else:
                person.photos.append(path)
    except OSError:
        person.unused.append(Unused(folder, "unreadable"))


def _split_name(stem: str, by: NamePart) -> tuple[str, str] | None:
    """Return the username and the person's name, if there is one, from a file's name.

    Return None if there is no username.
    """
    if by == "file":
        return (stem, "") if composed_name(stem) else None
    number, dash, name = stem.partition("-")
    number, name = composed_name(number), composed_name(name)
    if not (number and dash and name):
        return None
    return (number, name) if by == "id" else (name, "")


def _rows(file: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield the number of each line that is not empty, and its cells by the names of `COLUMNS`."""
    try:
        text = file.read_text("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"{file.name} is not UTF-8: save it as “CSV UTF-8”.") from error
    head = text.partition("\n")[0]
    delimiter = max(",;\t", key=head.count)
    try:
        lines = csv.reader(StringIO(text, newline=""), delimiter=delimiter, strict=True)
        places = _column_places(file, next(lines, []))
        for cells in lines:
            if any(map(str.strip, cells)):
                row = {
                    name: cells[place].strip() if place < len(cells) else ""
                    for name, place in places.items()
                }
                yield lines.line_num, row
    except csv.Error as error:
        raise ValueError(f"{file.name} is not a valid CSV file: {error}.") from error


def _line_name(file: Path, number: int) -> str:
    return f"{file.name}, line {number}"


def _column_places(file: Path, head: list[str]) -> dict[str, int]:
    """Return the index of each of `COLUMNS` in the first line."""
    found = [cell.strip().casefold() for cell in head]
    places = {
        name: found.index(alias)
        for name, aliases in COLUMNS.items()
        for alias in aliases
        if alias in found
    }
    for name in "username", "file":
        if name not in places:
            raise ValueError(f"{file.name} has no column “{name}” in its first line.")
    return places


def _problem(path: Path, root: Path) -> str:
    """Return why a file in a CSV file is ignored; "" if it is not."""
    try:
        if not path.resolve().is_relative_to(root):
            return "outside"
        if problem := files.problem(path):
            return problem if path.exists() else "missing"
        return "no_picture" if path.is_dir() else ""
    except (OSError, ValueError):  # a name that no file can have
        return "missing"
