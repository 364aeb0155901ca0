"""``python -m docs`` writes ``settings.md``, the table of all settings, from ``conf.py``."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import get_type_hints

from faceauth.checks.setting_types import in_words
from faceauth.conf import FaceAuthSettings

PAGE = Path(__file__).parent / "settings.md"

HEAD = """\
# Settings

All are keys of one dict in your `settings.py`, `FACEAUTH`; what is left out is as it stands here.
`manage.py check` names keys that do not exist, with the nearest that does, and values that cannot
be.

<!-- Made by `make docs` from faceauth/conf.py: change that. -->

| key | value | by default | what for |
| --- | --- | --- | --- |
"""


def page() -> str:
    """What the file holds."""
    kinds = get_type_hints(FaceAuthSettings)
    rows = [
        f"| `{name}` | {in_words(kinds[name])} | `{default}` | {words} |\n"
        for name, default, words in settings()
    ]
    return HEAD + "".join(rows)


def settings() -> Iterator[tuple[str, str, str]]:
    """Every key, its default as it is written, and the docstring below it as Markdown."""
    source = inspect.getsource(FaceAuthSettings)
    (found,) = ast.parse(source).body
    assert isinstance(found, ast.ClassDef)
    for field, below in pairwise(found.body):
        if isinstance(field, ast.AnnAssign) and isinstance(below, ast.Expr):
            assert isinstance(field.target, ast.Name) and isinstance(below.value, ast.Constant)
            words = " ".join(str(below.value.value).split()).replace("``", "`").replace("|", "\\|")
            yield field.target.id, _default(source, field.value), words


def _default(source: str, value: ast.expr | None) -> str:
    if isinstance(value, ast.Call):  # field(default=..., repr=False)
        value = next(each.value for each in value.keywords if each.arg == "default")
    assert value is not None
    return ast.get_source_segment(source, value) or ""


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
