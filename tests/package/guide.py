"""Follow the steps of docs/installation.md."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

from tests.support import guides

GUIDE = "installation.md"


class Step(NamedTuple):
    """One block of the guide: text for a file, or commands for a shell if `path` is empty.

    The text goes at the end of the file if `at_the_end` is True, and replaces the file otherwise.
    """

    text: str
    path: str = ""
    at_the_end: bool = False


def steps(title: str) -> list[Step]:
    """Return the steps under a heading, or above the first heading for an empty title."""
    found = guides.blocks_of(guides.section(GUIDE, title))
    assert found, title
    return [_step(block) for block in found]


def lines(title: str) -> int:
    """Return the number of lines of code in the project's files, without blank lines."""
    code = [step.text for step in steps(title) if step.path]
    return sum(bool(line.strip()) for text in code for line in text.splitlines())


def type_in(step: Step, folder: Path) -> None:
    """Change a file as the step says."""
    path = folder / step.path
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{path.read_text()}\n{step.text}" if step.at_the_end else step.text)


def take_out(title: str, folder: Path) -> None:
    """Take out of the settings and URLs what that section has put at their ends."""
    for step in steps(title):
        path = folder / step.path
        if step.at_the_end:
            text = path.read_text()
            assert step.text in text
            path.write_text(text.replace(step.text, ""))


def _step(block: guides.Block) -> Step:
    if not block.kind:
        return Step(block.text)
    place = re.match(r"(In|At the end of) `([\w/.]+)`", block.before)
    assert place, f"The line before this block names no file:\n{block.text}"
    return Step(block.text, place[2], place[1] != "In")
