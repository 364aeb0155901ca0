"""Files and folders of encodings, by their format."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from numpy.lib import format as npy

from . import layouts, safe_pickle, tables, vectors
from .exceptions import MAX_BYTES, SourceError, UnusableEncoding
from .layouts import Columns, StoredEncoding

FORMATS = ("pickle", "json", "csv", "sqlite", "npy")

SUFFIXES = {
    **dict.fromkeys((".pickle", ".pkl", ".p", ".dat"), "pickle"),
    **dict.fromkeys((".json", ".jsonl", ".ndjson"), "json"),
    **dict.fromkeys((".csv", ".tsv"), "csv"),
    **dict.fromkeys((".sqlite", ".sqlite3", ".db"), "sqlite"),
}


class Source(NamedTuple):
    """A file or a folder of encodings, with the operator's options.

    Attributes:
        path: The file or folder.
        size: The number of numbers in an encoding.
        format: One of `FORMATS`, or "auto" to detect it from the first bytes and the name.
        columns: The names of the columns or keys.
        table: The table of a database; "" to detect it.
    """

    path: Path
    size: int
    format: str = "auto"
    columns: Columns = Columns()
    table: str = ""

    def read(self) -> Iterator[StoredEncoding]:
        """Yield all encodings as they are stored.

        Raises:
            SourceError: The source cannot be read, or does not say whose the encodings are.
            OSError: The file cannot be read.
        """
        match self.detect_format():
            case "npy":
                yield from self._read_folder()
            case "sqlite":
                yield from tables.read_sqlite(self.path, self.table, self.columns)
            case "csv":
                yield from tables.read_csv(self._text(), self.path.name, self.columns, self.size)
            case "json":
                yield from layouts.read(_parse_json(self._text()), self.path.name, self.columns)
            case _:
                content = safe_pickle.load(_read_file(self.path))
                yield from layouts.read(content, self.path.name, self.columns)

    def detect_format(self) -> str:
        """Return the format.

        Raises:
            SourceError: The format cannot be detected.
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
        raise SourceError("The format of this file is not recognised: name it with --format.")

    def _read_folder(self) -> Iterator[StoredEncoding]:
        """Yield the encodings in ``<username>.npy`` and ``<username>/<any name>.npy``.

        Each file holds one encoding, or one in each row.
        """
        folder = self.path if self.path.is_dir() else self.path.parent
        found = sorted(folder.rglob("*.npy")) if self.path.is_dir() else [self.path]
        for path in found:
            place = path.relative_to(folder)
            if path.is_symlink() or not path.is_file() or len(place.parts) > 2:
                continue
            username = place.parts[0] if len(place.parts) > 1 else place.stem
            for number, value in enumerate(_read_rows(_read_file(path)), start=1):
                yield StoredEncoding(username, f"{place}:{number}", value)

    def _text(self) -> str:
        try:
            return _read_file(self.path).decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise SourceError("The file is not UTF-8.") from error


def _read_file(path: Path) -> bytes:
    if path.stat().st_size > MAX_BYTES:
        raise SourceError(f"{path.name} is larger than {MAX_BYTES // 1024**2} MB.")
    return path.read_bytes()


def _read_rows(data: bytes) -> list[Any]:
    """Return the encodings of one .npy file.

    A file that cannot be read counts as one encoding, so that it is reported as unusable.
    """
    if not data.startswith(npy.MAGIC_PREFIX):
        return [None]
    try:
        return vectors.split(vectors.read_npy(data))
    except UnusableEncoding:
        return [data]


def _parse_json(text: str) -> Any:
    """Return the one JSON value of a text, or a list of the values of its lines."""
    try:
        return vectors.parse_json(text)
    except SourceError:
        lines = [line for line in text.splitlines() if line.strip()]
        if len(lines) < 2:
            raise
        return [vectors.parse_json(line) for line in lines]
