"""What lies in a folder: which files are photos, and what the others are."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

# What `vision.images` reads.
SUFFIXES = frozenset({".bmp", ".gif", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"})


def unfit(path: Path) -> str:
    """Why that is neither a photo nor a folder, as `reasons` has it; "" where it may be one.

    Links are followed nowhere: whoever may put one into a folder would choose what is read.
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
    """What lies in a folder, in the order of names: paths, and what `unfit` says of them.

    Raises:
        OSError: the folder cannot be read.
    """
    for path in sorted(folder.iterdir()):
        yield path, unfit(path)


def below(folder: Path) -> Iterator[tuple[Path, str]]:
    """The same of the files in a folder and in all folders in it.

    Raises:
        OSError: the folder cannot be read.
    """
    for path, problem in within(folder):
        if problem or not path.is_dir():
            yield path, problem
            continue
        try:
            yield from below(path)
        except OSError:
            yield path, "unreadable"


def shown(path: Path | str) -> str:
    """A path as it can be printed: in names that are no UTF-8 there are signs that cannot be."""
    return os.fsencode(path).decode("utf-8", "replace")


def named(file: Path | str, root: Path) -> str:
    """A file as it is printed: by its path below `root`, where it is there."""
    if isinstance(file, Path) and file.is_relative_to(root):
        file = file.relative_to(root)
    return shown(file)
