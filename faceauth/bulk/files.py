"""Which files of a folder are photos, and why the others are not."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

# The formats that `vision.images` reads.
SUFFIXES = frozenset({".bmp", ".gif", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"})


def problem(path: Path) -> str:
    """Return why a path is neither a photo nor a folder, as a code of `messages`; "" if it may be.

    Links are never followed: anyone who may put a link into a folder could choose which file is
    read.
    """
    if path.name.startswith("."):
        return "hidden"
    if path.is_symlink():
        return "link"
    if path.is_dir():
        return ""
    if not path.is_file() or path.suffix.lower() not in SUFFIXES:
        return "no_picture"
    return ""


def within(folder: Path) -> Iterator[tuple[Path, str]]:
    """Yield the entries of a folder in the order of their names, each with its `problem`.

    Raises:
        OSError: The folder cannot be read.
    """
    for path in sorted(folder.iterdir()):
        yield path, problem(path)


def below(folder: Path) -> Iterator[tuple[Path, str]]:
    """Yield the files of a folder and of all folders below it, each with its `problem`.

    Raises:
        OSError: The folder cannot be read.
    """
    for path, reason in within(folder):
        if reason or not path.is_dir():
            yield path, reason
            continue
        try:
            yield from below(path)
        except OSError:
            yield path, "unreadable"


def printable(path: Path | str) -> str:
    """Return a path with a replacement for each byte that is not UTF-8 and cannot be printed."""
    return os.fsencode(path).decode("utf-8", "replace")


def relative(file: Path | str, root: Path) -> str:
    """Return a printable name of a file: its path below `root` if it is there."""
    if isinstance(file, Path) and file.is_relative_to(root):
        file = file.relative_to(root)
    return printable(file)
