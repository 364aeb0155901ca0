"""Follow the steps of docs/installation.md."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

from tests.support import guides

GUIDE = "installation.md"


class Step(NamedTuple):
    """What the guide says to type: into a file, at its end or in place of all of it, or, where
    there is no file, into a shell.
    """

    text: str
    path: str = ""
    at_the_end: bool = False


def steps(title: str) -> list[Step]:
    """Those below that heading, or above the first one where there is none."""
    found = guides.blocks_of(guides.section(GUIDE, title))
    assert found, title
    return [_step(block) for block in found]


def lines(title: str) -> int:
    """How many lines of code there are to type, blank ones left out."""
    return sum(bool(line.strip()) for step in steps(title) for line in step.text.splitlines())


def type_in(step: Step, folder: Path) -> None:
    """Change the file as the step says."""
    path = folder / step.path
    path.write_text(f"{path.read_text()}\n{step.text}" if step.at_the_end else step.text)


def _step(block: guides.Block) -> Step:
    if not block.kind:
        return Step(block.text)
    place = re.match(r"(In|At the end of) `([\w/.]+)`", block.before)
    assert place, f"Nobody knows where to type this:\n{block.text}"
    return Step(block.text, place[2], place[1] != "In")
