"""Read encodings from the rows of a CSV file or of an SQLite table."""

from __future__ import annotations

import csv
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from io import StringIO
from pathlib import Path

from .exceptions import MAX_BYTES, SourceError
from .layouts import Columns, StoredEncoding, to_username

DELIMITERS = (",", ";", "\t")


def read_csv(text: str, name: str, columns: Columns, size: int) -> Iterator[StoredEncoding]:
    """Yield the encoding of each line: a username, and a column of encodings or of each number.

    Args:
        text: The content of the file.
        name: The file's name, for the places.
        columns: The names of the columns.
        size: The number of numbers in an encoding.

    Raises:
        SourceError: There is no such column, or this is not a CSV file.
    """
    text = text.lstrip("\ufeff")
    first, _newline, _rest = text.partition("\n")
    delimiter = max(DELIMITERS, key=first.count)
    try:
        lines = [line for line in csv.reader(StringIO(text), delimiter=delimiter) if line]
    except csv.Error as error:
        raise SourceError(str(error)) from error
    header = lines[0] if lines and _is_header(lines[0], columns, size) else []
    username, encoding = columns.find(header)
    for wanted, found in (columns.username, username), (columns.encoding, encoding):
        if wanted and found is None:
            raise SourceError(f"There is no column {wanted!r}.")
    username_at = header.index(username) if username is not None else 0
    encoding_at = header.index(encoding) if encoding is not None else None
    for number, line in enumerate(lines[bool(header) :], start=1 + bool(header)):
        person = to_username(line[username_at]) if username_at < len(line) else ""
        if encoding_at is not None:
            value = line[encoding_at] if encoding_at < len(line) else ""
        else:
            value = _join_numbers(line, header, username_at, size)
        yield StoredEncoding(person, f"{name}:{number}", value)


def read_sqlite(path: Path, table: str, columns: Columns) -> Iterator[StoredEncoding]:
    """Yield the encoding of each row of a table.

    Args:
        path: The database.
        table: The table's name; "" for the only table that has such columns.
        columns: The names of the columns.

    Raises:
        SourceError: No table or several tables fit, or this is not a database.
    """
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as database:
            database.execute("PRAGMA trusted_schema = OFF")
            database.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MAX_BYTES)
            table, username, encoding = _find_table(database, table, columns)
            rows = database.execute(f"SELECT {_quote(username)}, {_quote(encoding)} FROM {table}")
            for number, (person, value) in enumerate(rows, start=1):
                yield StoredEncoding(to_username(person), f"{path.name}:{number}", value)
    except sqlite3.Error as error:
        raise SourceError(str(error)) from error


def _find_table(
    database: sqlite3.Connection, wanted: str, columns: Columns
) -> tuple[str, str, str]:
    """Return the table's quoted name and the names of its two columns."""
    names = database.execute("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")
    existing, fitting = [], []
    for (name,) in names.fetchall():
        found = [row[1] for row in database.execute(f"PRAGMA table_info({_quote(name)})")]
        existing.append(f"{name} ({', '.join(found)})")
        username, encoding = columns.find(found)
        if wanted in ("", name) and username is not None and encoding is not None:
            fitting.append((_quote(name), username, encoding))
    if len(fitting) == 1:
        return fitting[0]
    tables = "; ".join(existing) or "none"
    raise SourceError(
        "Name the table and the columns of the encodings with --table, --username-column and "
        f"--encoding-column. The tables are: {tables}."
    )


def _quote(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _is_header(line: Sequence[str], columns: Columns, size: int) -> bool:
    if any(each is not None for each in columns.find(line)) or any(columns):
        return True
    return len(line) > size and not any(_is_number(each) for each in line[1:])


def _join_numbers(line: Sequence[str], header: Sequence[str], username_at: int, size: int) -> str:
    """Return the columns that may be numbers of the encoding.

    These are all columns except the username's and the nameless one that counts lines. If there
    are too many, the last ones count.
    """
    kept = [
        each
        for place, each in enumerate(line)
        if place != username_at and (place >= len(header) or header[place].strip())
    ]
    return ",".join(kept[-size:] if len(kept) > size else kept)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
