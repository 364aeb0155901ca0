"""`accounts`, which others copy, uses only what docs/reference.md documents."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ACCOUNTS = sorted((ROOT / "accounts").glob("*.py"))

DIRECTIVE = re.compile(r"^( *)\.\. auto(module|class|function|exception):: ([\w.]+)")
MEMBERS = re.compile(r"^ +:members:(.*)$")

# All members are documented, without being listed.
EVERYTHING = "*"


def documented() -> set[str]:
    """Return the documented names with their paths, such as "faceauth.conf.get"."""
    found: set[str] = set()
    module = scope = ""
    for line in (ROOT / "docs/reference.md").read_text().splitlines():
        if match := DIRECTIVE.match(line):
            indented, kind, name = match.groups()
            scope = f"{module}.{name}" if indented else name
            module = scope if kind == "module" else module
            if kind != "module":
                found.add(scope)
        elif match := MEMBERS.match(line):
            names = [each.strip() for each in match[1].split(",") if each.strip()]
            found.update(f"{scope}.{name}" for name in names or [EVERYTHING])
    return found


def used(source: str) -> set[str]:
    """Return the names of faceauth that a module uses, with their paths."""
    tree = ast.parse(source)
    modules, found = {}, set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "faceauth":
            for each in node.names:
                path = f"{node.module}.{each.name}"
                if is_module(path):
                    modules[each.asname or each.name] = path
                else:
                    found.add(path)
        elif isinstance(node, ast.Import):
            found.update(each.name for each in node.names if each.name.startswith("faceauth"))
    for node in ast.walk(tree):
        if not isinstance(node, ast.Attribute) or not isinstance(node.value, ast.Name):
            continue
        if module := modules.get(node.value.id):
            found.add(f"{module}.{node.attr}")
    return found


def is_module(path: str) -> bool:
    place = ROOT.joinpath(*path.split("."))
    return place.is_dir() or place.with_suffix(".py").is_file()


@pytest.mark.parametrize("path", ACCOUNTS, ids=lambda path: path.name)
def test_accounts_uses_documented_names_only(path):
    names = documented()
    private = {
        name
        for name in used(path.read_text())
        if name not in names and f"{name.rpartition('.')[0]}.{EVERYTHING}" not in names
    }
    assert not private


def test_undocumented_names_are_found():
    source = "from faceauth import conf\nfrom faceauth.http import client_ip\nconf.get()\n"
    source += "client_ip.network(1)\nfrom faceauth.receivers import record_login\n"
    assert used(source) - documented() == {
        "faceauth.http.client_ip.network",
        "faceauth.receivers.record_login",
    }


def test_reference_is_read():
    assert {"faceauth.enrolment.enrol", "faceauth.enrolment.Consent.from_request"} < documented()
    assert {"faceauth.vision.Engine", "faceauth.faces.of"} < documented()
