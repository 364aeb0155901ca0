"""docs/troubleshooting.md: it quotes what the app really says, and names what really exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from babel.messages.pofile import read_po
from django.conf import global_settings

from faceauth import conf
from tests.support import guides

GUIDE = "troubleshooting.md"
APP = Path(conf.__file__).parent


def first_cells(title):
    """Return the first cells of a section's table, without its head."""
    return re.findall(r"^\| (.*?) \|", guides.section(GUIDE, title), re.MULTILINE)[2:]


def test_messages_in_the_browser_are_those_of_the_app():
    with (APP / "locale/es/LC_MESSAGES/django.po").open("rb") as file:
        said = [str(each.id) for each in read_po(file)]
    known = re.compile("|".join(re.sub(r"%\\\(\w+\\\)s", ".+", re.escape(each)) for each in said))
    quoted = [
        re.match("“(.*?)”(?:,|$)", cell)[1] for cell in first_cells("Messages in the browser")
    ]
    assert len(quoted) > 10
    assert [each for each in quoted if not known.fullmatch(each)] == []


@pytest.mark.parametrize("cell", first_cells("Messages in the terminal"))
def test_messages_in_the_terminal_are_those_of_the_app(cell):
    text = cell.strip("`")
    if "matching distribution" in text:
        return  # pip's
    sources = [path.read_text() for path in APP.rglob("*.py")]
    assert [each for each in sources if text in each]


def test_settings_exist():
    names = re.findall(r"`([A-Z][A-Z_]+)`", guides.page(GUIDE))
    assert "MAX_UPLOAD_BYTES" in names
    known = {*dir(conf.get()), *dir(global_settings)}
    assert [each for each in names if each not in known] == []
