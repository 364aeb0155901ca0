"""Write the table of all settings, ``settings.md``, from ``conf.py``: run ``python -m docs``.

``python -m docs FILE`` writes it to another file.
"""

from __future__ import annotations

import ast
import inspect
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import get_type_hints

from docs.project import setup

setup()

from faceauth.checks.setting_types import describe  # noqa: E402
from faceauth.conf import FaceAuthSettings  # noqa: E402

PAGE = Path(__file__).parent / "settings.md"

HEAD = """\
# Settings

All settings are keys of a single dict in your `settings.py`, `FACEAUTH`. Keys that you leave out
have the defaults below. `manage.py check` reports unknown keys, with the closest known one, and
invalid values.

<!-- Written by `make docs` from faceauth/conf.py: change that file instead. -->

| key | value | default | description |
| --- | --- | --- | --- |
"""


def page() -> str:
    """Return the content of the file."""
    kinds = get_type_hints(FaceAuthSettings)
    rows = [
        f"| `{name}` | {describe(kinds[name])} | `{default}` | {words} |\n"
        for name, default, words in settings()
    ]
    return HEAD + "".join(rows)


def settings() -> Iterator[tuple[str, str, str]]:
    """Yield each key, its default as written in the source, and its docstring as Markdown."""
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
    path = Path(sys.argv[1]) if sys.argv[1:] else PAGE
    path.write_text(page(), encoding="utf-8")
