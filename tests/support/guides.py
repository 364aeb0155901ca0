"""What stands in docs/: the blocks of code in a page, and which file of a project each is."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

DOCS = Path(__file__).parents[2] / "docs"

# The first line of a block that is a file: a comment that names it, in whichever language.
_NAMED = re.compile(r"(?:#|//|/\*|\{#) ([\w./-]+\.\w+)(?: \*/| #\})?\n")


class Block(NamedTuple):
    """A fenced block: its language, the file that it is or is at the end of, if any, its text."""

    kind: str
    path: str
    text: str


def page(name: str) -> str:
    return (DOCS / name).read_text()


def blocks(name: str, *kinds: str) -> list[Block]:
    """Those of a page, in order: of these languages, or all."""
    found = re.findall(
        r"^( *)```(\{?[\w-]*\}?)\n(.*?)^ *```$", page(name), re.MULTILINE | re.DOTALL
    )
    made = []
    for indent, kind, text in found:
        plain = re.sub(f"^{indent}", "", text, flags=re.MULTILINE)
        named = _NAMED.match(plain)
        made.append(Block(kind, named[1] if named else "", plain))
    return [each for each in made if not kinds or each.kind in kinds]


def write(blocks: list[Block], folder: Path) -> None:
    """Make the files that they are; of one file several blocks, one after another."""
    for block in blocks:
        path = folder / block.path
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a", encoding="utf-8") as file:
            file.write(block.text)
