"""Files and folders of encodings, by what they are kept in."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from django.utils.translation import gettext as _
from numpy.lib import format as npy

from . import safe_pickle, tables, vectors
from .exceptions import MOST_BYTES, SourceError, Unusable
from .layouts import Columns, Item, items

FORMATS = ("pickle", "json", "csv", "sqlite", "npy")

SUFFIXES = {
    **dict.fromkeys((".pickle", ".pkl", ".p", ".dat"), "pickle"),
    **dict.fromkeys((".json", ".jsonl", ".ndjson"), "json"),
    **dict.fromkeys((".csv", ".tsv"), "csv"),
    **dict.fromkeys((".sqlite", ".sqlite3", ".db"), "sqlite"),
}


class Source(NamedTuple):
    """A file or a folder, and what its owner says of it.

    format: one of `FORMATS`; "auto" goes by its first bytes and its name.
    size: of how many numbers an encoding is.
    """

    path: Path
    size: int
    format: str = "auto"
    columns: Columns = Columns()
    table: str = ""

    def items(self) -> Iterator[Item]:
        """All encodings in it, as they were kept.

        Raises:
            SourceError: it cannot be read, or says not whose they are.
            OSError: the file cannot be read.
        """
        match self.kind():
            case "npy":
                yield from self._of_folder()
            case "sqlite":
                yield from tables.of_sqlite(self.path, self.table, self.columns)
            case "csv":
                yield from tables.of_csv(self._text(), self.path.name, self.columns, self.size)
            case "json":
                yield from items(_json(self._text()), self.path.name, self.columns)
            case _:
                yield from items(safe_pickle.load(self._bytes()), self.path.name, self.columns)

    def kind(self) -> str:
        """Its format.

        Raises:
            SourceError: it cannot be told.
        """
        if self.format != "auto":
            return self.format
        if self.path.is_dir() or self.path.suffix == ".npy":
            return "npy"
        with self.path.open("rb") as file:
            head = file.read(16)
        for start, found in (b"SQLite format 3", "sqlite"), (b"\x80", "pickle"):
            if head.startswith(start):
                return found
        if found := SUFFIXES.get(self.path.suffix.lower(), ""):
            return found
        if head.lstrip()[:1] in (b"{", b"["):
            return "json"
        raise SourceError(_("It cannot be told what this file is: say so with --format."))

    def _of_folder(self) -> Iterator[Item]:
        """``<username>.npy`` and ``<username>/<any name>.npy``: one encoding a file, or rows."""
        folder = self.path if self.path.is_dir() else self.path.parent
        found = sorted(folder.rglob("*.npy")) if self.path.is_dir() else [self.path]
        for path in found:
            place = path.relative_to(folder)
            if path.is_symlink() or not path.is_file() or len(place.parts) > 2:
                continue
            username = place.parts[0] if len(place.parts) > 1 else place.stem
            for number, value in enumerate(_rows(_read(path)), start=1):
                yield Item(username, f"{place}:{number}", value)

    def _text(self) -> str:
        try:
            return self._bytes().decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise SourceError(_("The file is not UTF-8.")) from error

    def _bytes(self) -> bytes:
        return _read(self.path)


def _read(path: Path) -> bytes:
    if path.stat().st_size > MOST_BYTES:
        message = _("%(file)s is larger than %(most)d MB.")
        raise SourceError(message % {"file": path.name, "most": MOST_BYTES // 1024**2})
    return path.read_bytes()


def _rows(data: bytes) -> list[Any]:
    """The encodings of one .npy file; as it is where it is none, for that to be said of it."""
    if not data.startswith(npy.MAGIC_PREFIX):
        return [None]
    try:
        return vectors.several(vectors.array(data))
    except Unusable:
        return [data]


def _json(text: str) -> Any:
    """One JSON value, or one a line."""
    try:
        return vectors.parsed(text)
    except SourceError:
        lines = [line for line in text.splitlines() if line.strip()]
        if len(lines) < 2:
            raise
        return [vectors.parsed(line) for line in lines]
