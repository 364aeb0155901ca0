"""Read the blocks of code in docs/, and the names of the project files that they are."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

DOCS = Path(__file__).parents[2] / "docs"

# The first line of a block that is a file: a comment in any language that names the file.
_NAMED = re.compile(r"(?:#|//|/\*|\{#) ([\w./-]+\.\w+)(?: \*/| #\})?\n")


class Block(NamedTuple):
    """A fenced block of a page.

    Attributes:
        kind: its language.
        path: the file that it is, or goes at the end of; "" if it names none.
        text: its content.
        before: the line before it.
    """

    kind: str
    path: str
    text: str
    before: str = ""


def page(name: str) -> str:
    return (DOCS / name).read_text()


def section(name: str, title: str) -> str:
    """Return the text under a heading of a page; for "", the text above the first heading."""
    sections = re.split(r"^## (.*)\n", page(name), flags=re.MULTILINE)
    return sections[sections.index(title) + 1] if title else sections[0]


def blocks(name: str, *kinds: str) -> list[Block]:
    """Return the blocks of a page in order, all or those in these languages."""
    return blocks_of(page(name), *kinds)


def blocks_of(text: str, *kinds: str) -> list[Block]:
    """Return the blocks of a part of a page."""
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
    """Write the blocks to their files; append several blocks of the same file."""
    for block in blocks:
        path = folder / block.path
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a", encoding="utf-8") as file:
            file.write(block.text)
