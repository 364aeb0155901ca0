"""Rows and columns: a CSV, or a table of SQLite."""

from __future__ import annotations

import csv
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from io import StringIO
from pathlib import Path

from django.utils.translation import gettext as _

from .exceptions import MOST_BYTES, SourceError
from .layouts import Columns, Item, username_of

DELIMITERS = (",", ";", "\t")


def of_csv(text: str, name: str, columns: Columns, size: int) -> Iterator[Item]:
    """A line each: the username, and the encoding in one column or a number a column.

    Raises:
        SourceError: there is no such column, or this is no CSV.
    """
    text = text.lstrip("\ufeff")
    first, _newline, _rest = text.partition("\n")
    delimiter = max(DELIMITERS, key=first.count)
    try:
        lines = [line for line in csv.reader(StringIO(text), delimiter=delimiter) if line]
    except csv.Error as error:
        raise SourceError(str(error)) from error
    header = lines[0] if lines and _is_header(lines[0], columns, size) else []
    username, encoding = columns.among(header)
    for wanted, found in (columns.username, username), (columns.encoding, encoding):
        if wanted and found is None:
            message = _("There is no column %(wanted)r.")
            raise SourceError(message % {"wanted": wanted})
    who = header.index(username) if username is not None else 0
    which = header.index(encoding) if encoding is not None else None
    for number, line in enumerate(lines[bool(header) :], start=1 + bool(header)):
        named = username_of(line[who]) if who < len(line) else ""
        if which is not None:
            value = line[which] if which < len(line) else ""
        else:
            value = _others(line, header, who, size)
        yield Item(named, f"{name}:{number}", value)


def of_sqlite(path: Path, table: str, columns: Columns) -> Iterator[Item]:
    """A row each of that table; by default of the one that has such columns.

    Raises:
        SourceError: there is none, or there are several, or this is no database.
    """
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as database:
            database.execute("PRAGMA trusted_schema = OFF")
            database.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MOST_BYTES)
            table, username, encoding = _found(database, table, columns)
            rows = database.execute(f"SELECT {_quoted(username)}, {_quoted(encoding)} FROM {table}")
            for number, (who, value) in enumerate(rows, start=1):
                yield Item(username_of(who), f"{path.name}:{number}", value)
    except sqlite3.Error as error:
        raise SourceError(str(error)) from error


def _found(database: sqlite3.Connection, wanted: str, columns: Columns) -> tuple[str, str, str]:
    """The table, quoted, and its two columns."""
    names = database.execute("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")
    there, fitting = [], []
    for (name,) in names.fetchall():
        found = [row[1] for row in database.execute(f"PRAGMA table_info({_quoted(name)})")]
        there.append(f"{name} ({', '.join(found)})")
        username, encoding = columns.among(found)
        if wanted in ("", name) and username is not None and encoding is not None:
            fitting.append((_quoted(name), username, encoding))
    if len(fitting) == 1:
        return fitting[0]
    message = _("Which table and columns hold them? There are: %(tables)s.")
    raise SourceError(message % {"tables": "; ".join(there) or "-"})


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _is_header(line: Sequence[str], columns: Columns, size: int) -> bool:
    if any(each is not None for each in columns.among(line)) or any(columns):
        return True
    return len(line) > size and not any(_is_number(each) for each in line[1:])


def _others(line: Sequence[str], header: Sequence[str], who: int, size: int) -> str:
    """All columns but that of the username, and the nameless one that counts lines; at the end
    where there are more.
    """
    kept = [
        each
        for place, each in enumerate(line)
        if place != who and (place >= len(header) or header[place].strip())
    ]
    return ",".join(kept[-size:] if len(kept) > size else kept)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
