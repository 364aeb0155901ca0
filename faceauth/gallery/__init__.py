"""Find the nearest people: in memory, or in PostgreSQL by `faceauth.pgvector`."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any, Protocol

from django.apps import apps
from django.utils.module_loading import import_string

from faceauth.recognition.policy import Match
from faceauth.vision.encoding import Encoding

IN_MEMORY, IN_DATABASE = (
    "faceauth.gallery.memory.Gallery",
    "faceauth.pgvector.gallery.VectorGallery",
)


class Searcher(Protocol):
    """Finds the enrolled people nearest to a probe.

    People whose face is flagged as a look-alike are kept apart, because a face without a username
    is not compared with them.
    """

    def __len__(self) -> int:
        """Return the number of people enrolled, without the flagged ones."""

    def nearest(self, probe: Encoding, count: int = 2, *, flagged: bool = False) -> list[Match]:
        """Return the people nearest to a probe, nearest first.

        Args:
            probe: Encodings of one person, float32 (n, d).
            count: The maximum number of people.
            flagged: Search the flagged people instead of the others.
        """

    def forget(self, keys: Iterable[Any]) -> None:
        """Drop people who no longer exist, until they change again."""


def in_database() -> bool:
    """Return True if the database searches. What it searches is not encrypted."""
    return apps.is_installed("faceauth.pgvector")


@cache
def gallery() -> Searcher:
    """Return this process's gallery."""
    searcher: Searcher = import_string(IN_DATABASE if in_database() else IN_MEMORY)()
    return searcher
