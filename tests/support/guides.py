"""What stands in docs/: the blocks of code in a page, and which file of a project each is."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

DOCS = Path(__file__).parents[2] / "docs"

# The first line of a block that is a file: a comment that names it, in whichever language.
_NAMED = re.compile(r"(?:#|//|/\*|\{#) ([\w./-]+\.\w+)(?: \*/| #\})?\n")


class Block(NamedTuple):
    """A fenced block: its language, the file that it is or is at the end of, if any, its text, and
    the line that leads to it.
    """

    kind: str
    path: str
    text: str
    before: str = ""


def page(name: str) -> str:
    return (DOCS / name).read_text()


def section(name: str, title: str) -> str:
    """What stands below that heading of a page; "": above the first."""
    sections = re.split(r"^## (.*)\n", page(name), flags=re.MULTILINE)
    return sections[sections.index(title) + 1] if title else sections[0]


def blocks(name: str, *kinds: str) -> list[Block]:
    """Those of a page, in order: of these languages, or all."""
    return blocks_of(page(name), *kinds)


def blocks_of(text: str, *kinds: str) -> list[Block]:
    """Those of a part of a page."""
    found = re.findall(
        r"([^\n]*)\n+^( *)```(\{?[\w-]*\}?)\n(.*?)^ *```$", text, re.MULTILINE | re.DOTALL
    )
    made = []
    for before, indent, kind, inside in found:
        plain = re.sub(f"^{indent}", "", inside, flags=re.MULTILINE)
        named = _NAMED.match(plain)
        made.append(Block(kind, named[1] if named else "", plain, before))
    return [each for each in made if not kinds or each.kind in kinds]


def write(blocks: list[Block], folder: Path) -> None:
    """Make the files that they are; of one file several blocks, one after another."""
    for block in blocks:
        path = folder / block.path
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a", encoding="utf-8") as file:
            file.write(block.text)
