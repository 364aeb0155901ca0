"""docs/dropin.md, followed to the letter."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

from tests.package.conftest import ROOT

GUIDE = ROOT / "docs/dropin.md"


class Step(NamedTuple):
    """What the guide says to type: into a file, at its end or in place of all of it, or, where
    there is no file, into a shell.
    """

    text: str
    path: str = ""
    at_the_end: bool = False


def steps(title: str) -> list[Step]:
    """Those below that heading, or above the first one where there is none."""
    sections = re.split(r"^## (.*)\n", GUIDE.read_text(), flags=re.MULTILINE)
    text = sections[sections.index(title) + 1] if title else sections[0]
    found = re.findall(r"([^\n]*)\n\n```(\w*)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    assert found, title
    return [_step(*each) for each in found]


def lines(title: str) -> int:
    """How many lines of code there are to type, blank ones left out."""
    return sum(bool(line.strip()) for step in steps(title) for line in step.text.splitlines())


def type_in(step: Step, folder: Path) -> None:
    """Change the file as the step says."""
    path = folder / step.path
    path.write_text(f"{path.read_text()}\n{step.text}" if step.at_the_end else step.text)


def _step(before: str, kind: str, text: str) -> Step:
    if not kind:
        return Step(text)
    place = re.match(r"(In|At the end of) `([\w/.]+)`", before)
    assert place, f"Nobody knows where to type this:\n{text}"
    return Step(text, place[2], place[1] != "In")
