"""Find out whose the encodings are in the lists and dicts that other programs write."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import count
from typing import Any, NamedTuple

from . import vectors
from .exceptions import SourceError

# The usual names of the keys and columns that hold usernames or encodings.
USERNAMES = (
    *("username", "usernames", "user", "users", "name", "names", "label", "labels", "person"),
    *("known_names", "known_face_names", "user_id", "user_ids", "id", "ids", "_id", "email"),
)
ENCODINGS = (
    *("encoding", "encodings", "embedding", "embeddings", "face_encoding", "face_encodings"),
    *("known_encodings", "known_face_encodings", "descriptor", "descriptors", "vector", "vectors"),
    *("features", "face", "data"),
)

NO_USERNAMES = "The file does not say whose these encodings are."


class Columns(NamedTuple):
    """The names of the two columns or keys, if the operator gives them."""

    username: str = ""
    encoding: str = ""

    def find(self, names: Iterable[Any]) -> tuple[Any, Any]:
        """Return the two columns among these names; None for each that is missing."""
        every = list(names)
        return _find(every, self.username, USERNAMES), _find(every, self.encoding, ENCODINGS)


class StoredEncoding(NamedTuple):
    """One encoding as another program stored it.

    Attributes:
        username: The person's username; "" if it is not known.
        place: The place in the source, to report to the operator.
        value: An argument of `vectors.to_vector`.
    """

    username: str
    place: str
    value: Any


def read(content: Any, name: str, columns: Columns) -> Iterator[StoredEncoding]:
    """Yield the encodings in the content of a file.

    Args:
        content: A dict of people, a dict or a pair of two lists, or a list of dicts or of pairs.
        name: The file's name, for the places.
        columns: The names of keys.

    Raises:
        SourceError: The content has another layout.
    """
    number = count(1)
    for username, value in _people(content, columns):
        for each in vectors.split(value):
            yield StoredEncoding(to_username(username), f"{name}:{next(number)}", each)


def to_username(value: Any) -> str:
    """Return a stored username, a text or a number, as a text; "" for anything else."""
    if isinstance(value, dict) and "$oid" in value:
        value = value["$oid"]
    known = isinstance(value, str | int) and not isinstance(value, bool)
    return str(value).strip() if known else ""


def _people(content: Any, columns: Columns) -> Iterator[tuple[Any, Any]]:
    if isinstance(content, dict):
        yield from _from_dict(content, columns)
    elif pair := _from_two_lists(content):
        yield from pair
    elif isinstance(content, list | tuple) and content:
        for each in content:
            yield _from_entry(each, columns)
    else:
        raise SourceError(NO_USERNAMES)


def _from_dict(content: dict[Any, Any], columns: Columns) -> Iterable[tuple[Any, Any]]:
    username, encoding = columns.find(content)
    if username is None or encoding is None:
        return content.items()
    names, encodings = content[username], content[encoding]
    if isinstance(names, str | int):
        return [(names, encodings)]
    return _zip(names, encodings)


def _from_two_lists(content: Any) -> list[tuple[Any, Any]]:
    """Return the people of ``(encodings, names)`` or ``(names, encodings)``; [] otherwise."""
    if not isinstance(content, list | tuple) or len(content) != 2:
        return []
    one, other = content
    if _are_names(one) and not isinstance(other, str):
        return _zip(one, other)
    return _zip(other, one) if _are_names(other) and not isinstance(one, str) else []


def _from_entry(entry: Any, columns: Columns) -> tuple[Any, Any]:
    """Return the person of one dict or pair in a list."""
    if isinstance(entry, dict):
        username, encoding = columns.find(entry)
        if username is not None and encoding is not None:
            return entry[username], entry[encoding]
    elif isinstance(entry, list | tuple) and len(entry) == 2:
        one, other = entry
        if isinstance(one, str) != isinstance(other, str):
            return (one, other) if isinstance(one, str) else (other, one)
    raise SourceError(NO_USERNAMES)


def _zip(names: Any, encodings: Any) -> list[tuple[Any, Any]]:
    sized = hasattr(names, "__len__") and hasattr(encodings, "__len__")
    if not sized or len(names) != len(encodings):
        raise SourceError("The numbers of names and of encodings differ.")
    return list(zip(names, encodings, strict=True))


def _are_names(value: Any) -> bool:
    return (
        isinstance(value, list | tuple)
        and bool(value)
        and all(isinstance(each, str) for each in value)
    )


def _find(names: Sequence[Any], wanted: str, usual: Sequence[str]) -> Any:
    if wanted:
        return wanted if wanted in names else None
    folded = {str(each).strip().casefold(): each for each in reversed(names)}
    return next((folded[each] for each in usual if each in folded), None)
