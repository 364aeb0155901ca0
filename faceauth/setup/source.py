"""Find the file of a project in which a name is assigned."""

from __future__ import annotations

import ast
import os
from collections.abc import Iterator
from importlib import import_module
from importlib.util import resolve_name
from pathlib import Path


def find_home(module: str, name: str) -> Path | None:
    """Return the file at whose end a line can change that name, or None if there is none.

    It is the file that assigns the name at its top level: the module's own or, if settings are
    split, that of a module whose names it imports with ``*``. A statement that only adds to the
    name, such as ``+=``, does not count. Installed packages are not the project's to change.
    """
    try:
        loaded = import_module(module)
    except ImportError:  # local settings that are not there on this machine
        return None
    path = Path(loaded.__file__ or "")
    if path.suffix != ".py" or not path.is_file():
        return None
    package = loaded.__package__ or ""
    for statement in reversed([*_statements(ast.parse(path.read_bytes()).body)]):
        if _assigns(statement, name):
            return path if is_changeable(path) else None
        if isinstance(statement, ast.ImportFrom) and statement.names[0].name == "*":
            imported = resolve_name("." * statement.level + (statement.module or ""), package)
            if found := find_home(imported, name):
                return found
    return None


def _statements(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Yield the statements of a module, with those in its ``if``, ``try`` and ``with``."""
    for each in body:
        yield each
        if isinstance(each, ast.If | ast.Try | ast.With):
            for branch in ("body", "handlers", "orelse", "finalbody"):
                for inner in getattr(each, branch, []):
                    yield from _statements(
                        inner.body if isinstance(inner, ast.ExceptHandler) else [inner]
                    )


def _assigns(statement: ast.stmt, name: str) -> bool:
    if isinstance(statement, ast.Assign):
        targets = statement.targets
    elif isinstance(statement, ast.AnnAssign) and statement.value:
        targets = [statement.target]
    else:
        return False
    if not any(isinstance(each, ast.Name) and each.id == name for each in targets):
        return False
    used = (each.id for each in ast.walk(statement) if isinstance(each, ast.Name))
    return [*used].count(name) == 1


def is_changeable(path: Path) -> bool:
    """Return True if the file belongs to the project, not to an installed package."""
    installed = {"site-packages", "dist-packages"} & set(path.parts)
    return not installed and os.access(path, os.W_OK)
