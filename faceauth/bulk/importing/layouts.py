"""Whose the encodings are, in lists and dicts as programs keep them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import count
from typing import Any, NamedTuple

from django.utils.translation import gettext as _

from .exceptions import SourceError
from .vectors import plain, several

# What keys and columns are called that hold usernames or encodings.
USERNAMES = (
    *("username", "usernames", "user", "users", "name", "names", "label", "labels", "person"),
    *("known_names", "known_face_names", "user_id", "user_ids", "id", "ids", "_id", "email"),
)
ENCODINGS = (
    *("encoding", "encodings", "embedding", "embeddings", "face_encoding", "face_encodings"),
    *("known_encodings", "known_face_encodings", "descriptor", "descriptors", "vector", "vectors"),
    *("features", "face", "data"),
)


class Columns(NamedTuple):
    """What the two are called where the owner says so."""

    username: str = ""
    encoding: str = ""

    def among(self, names: Iterable[Any]) -> tuple[Any, Any]:
        """Which of these are the two; None for what is not there."""
        every = list(names)
        return _which(every, self.username, USERNAMES), _which(every, self.encoding, ENCODINGS)


class Item(NamedTuple):
    """One encoding as it was kept.

    username: whose it is; "" where that is not said.
    place: where it was found.
    value: what `values.vector` takes.
    """

    username: str
    place: str
    value: Any


def items(found: Any, name: str, columns: Columns) -> Iterator[Item]:
    """The encodings in what a file of that name holds: a dict of people, a dict or a pair of two
    lists, a list of dicts or of pairs.

    Raises:
        SourceError: it is something else.
    """
    number = count(1)
    for username, value in _people(plain(found), columns):
        for each in several(value):
            yield Item(username_of(username), f"{name}:{next(number)}", each)


def username_of(value: Any) -> str:
    """A username as it was kept: a text, or a number."""
    if isinstance(value, dict) and "$oid" in value:
        value = value["$oid"]
    known = isinstance(value, str | int) and not isinstance(value, bool)
    return str(value).strip() if known else ""


def _people(found: Any, columns: Columns) -> Iterator[tuple[Any, Any]]:
    if isinstance(found, dict):
        yield from _of_dict(found, columns)
    elif pair := _of_two_lists(found):
        yield from pair
    elif isinstance(found, list | tuple) and found:
        for each in found:
            yield _of_entry(each, columns)
    else:
        raise SourceError(_("It says not whose encodings these are."))


def _of_dict(found: dict[Any, Any], columns: Columns) -> Iterable[tuple[Any, Any]]:
    username, encoding = columns.among(found)
    if username is None or encoding is None:
        return found.items()
    names, encodings = found[username], plain(found[encoding])
    if isinstance(names, str | int):
        return [(names, encodings)]
    return _zipped(names, encodings)


def _of_two_lists(found: Any) -> list[tuple[Any, Any]]:
    """``(encodings, names)`` or the other way round; [] where it is neither."""
    if not isinstance(found, list | tuple) or len(found) != 2:
        return []
    one, other = map(plain, found)
    if _are_names(one) and not isinstance(other, str):
        return _zipped(one, other)
    return _zipped(other, one) if _are_names(other) and not isinstance(one, str) else []


def _of_entry(entry: Any, columns: Columns) -> tuple[Any, Any]:
    """A dict or a pair of a list of them."""
    if isinstance(entry, dict):
        username, encoding = columns.among(entry)
        if username is not None and encoding is not None:
            return entry[username], entry[encoding]
    elif isinstance(entry, list | tuple) and len(entry) == 2:
        one, other = entry
        if isinstance(one, str) != isinstance(other, str):
            return (one, other) if isinstance(one, str) else (other, one)
    raise SourceError(_("It says not whose encodings these are."))


def _zipped(names: Any, encodings: Any) -> list[tuple[Any, Any]]:
    if not hasattr(encodings, "__len__") or len(names) != len(encodings):
        raise SourceError(_("There are not as many names as encodings."))
    return list(zip(names, encodings, strict=True))


def _are_names(value: Any) -> bool:
    there = isinstance(value, list | tuple) and bool(value)
    return there and all(isinstance(each, str) for each in value)


def _which(names: Sequence[Any], wanted: str, known: Sequence[str]) -> Any:
    if wanted:
        return wanted if wanted in names else None
    folded = {str(each).strip().casefold(): each for each in reversed(names)}
    return next((folded[each] for each in known if each in folded), None)
