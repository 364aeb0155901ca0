"""Translations: every text is translated, and the compiled catalogues are up to date."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_file
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po
from django.conf import settings
from django.utils.translation.template import templatize

ROOT = Path(__file__).parents[2]

# The folders whose texts are in a folder of catalogues.
SOURCES = {
    ROOT / "faceauth/locale": ("faceauth",),
    ROOT / "locale": ("accounts", "config", "templates"),
}
CATALOGUES = [
    pytest.param(folder, code, id=f"{folder.relative_to(ROOT)}/{code}")
    for folder in SOURCES
    for code, _name in settings.LANGUAGES
    if not code.startswith("en")
]

# The arguments of a call that are texts: the first two, or the first after a context.
FUNCTIONS = {
    **dict.fromkeys(("_", "gettext", "gettext_lazy", "gettext_noop"), None),
    **dict.fromkeys(("ngettext", "ngettext_lazy"), (1, 2)),
    **dict.fromkeys(("pgettext", "pgettext_lazy"), ((1, "c"), 2)),
    **dict.fromkeys(("npgettext", "npgettext_lazy"), ((1, "c"), 2, 3)),
}
STRING = r"""u?'(?:\\.|[^'\\])*'|u?"(?:\\.|[^"\\])*\""""
CALL = re.compile(rf"\b(_|n?p?gettext)\(((?:{STRING}|[\s,\w])*)\)")

PLACEHOLDERS = re.compile(r"%\(\w+\)[.\d]*[a-z]|%[.\d]*[a-z]\b|\{\w+\}|</?(?:b|em|strong)>")

# A context, or None, and a text with its plural, or None.
Key = tuple[str | None, str, str | None]


def catalogue(folder: Path, code: str) -> Catalog:
    with (folder / code / "LC_MESSAGES/django.po").open("rb") as file:
        return read_po(file, locale=code, abort_invalid=True)


def texts(found: Catalog) -> dict[Key, tuple[str, ...]]:
    """Return the entries of a catalogue, without its header, with their plural forms."""
    said: dict[Key, tuple[str, ...]] = {}
    for each in found:
        if each.id:
            text, plural = (each.id, None) if isinstance(each.id, str) else each.id
            # Babel reads contexts from compiled catalogues as bytes.
            context: Any = each.context
            context = context.decode() if isinstance(context, bytes) else context
            strings: Any = each.string
            strings = (strings,) if isinstance(strings, str) else tuple(strings)
            said[context, text, plural] = strings
    return said


def in_python(file: Path) -> Iterator[Key]:
    for _line, found, _comments, context in extract_from_file("python", file, FUNCTIONS):
        text, plural = found if isinstance(found, tuple) else (found, None)
        yield context, text, plural


def in_template(file: Path) -> Iterator[Key]:
    for function, arguments in CALL.findall(templatize(file.read_text(), origin=str(file))):
        call = ast.parse(f"call({arguments})", mode="eval").body
        assert isinstance(call, ast.Call)
        found: list[Any] = [each.value for each in call.args if isinstance(each, ast.Constant)]
        context = found.pop(0) if "p" in function else None
        yield context, found[0], found[1] if function.startswith("n") else None


def in_source(folder: Path) -> set[Key]:
    found: set[Key] = set()
    for source in SOURCES[folder]:
        for file in (ROOT / source).rglob("*.*"):
            if file.suffix == ".py":
                found.update(in_python(file))
            elif file.suffix in (".html", ".txt") and "templates" in file.parts:
                found.update(in_template(file))
    return found


@pytest.mark.parametrize("folder", SOURCES, ids=lambda folder: str(folder.relative_to(ROOT)))
def test_extraction_finds_texts_of_every_kind(folder):
    found = in_source(folder)

    assert len(found) > 90
    assert any(plural for _context, _text, plural in found)
    # Empty texts would be translated to the catalogue's header.
    assert all(text.strip() for _context, text, _plural in found)


@pytest.mark.parametrize(("folder", "code"), CATALOGUES)
def test_catalogue_has_every_text_and_no_other(folder, code):
    found, wanted = set(texts(catalogue(folder, code))), in_source(folder)

    assert found == wanted, "Run `make messages`, then translate what is new."


@pytest.mark.parametrize(("folder", "code"), CATALOGUES)
def test_every_text_is_translated(folder, code):
    found = catalogue(folder, code)

    assert not [key for key, strings in texts(found).items() if not all(strings)]
    assert not [each.id for each in found if each.id and each.fuzzy]


@pytest.mark.parametrize(("folder", "code"), CATALOGUES)
def test_translations_take_the_same_values(folder, code):
    wrong = []
    for (_context, text, plural), strings in texts(catalogue(folder, code)).items():
        for number, string in enumerate(strings):
            source = plural if plural and number else text
            if set(PLACEHOLDERS.findall(string)) != set(PLACEHOLDERS.findall(source)):
                wrong.append((source, string))

    assert not wrong


@pytest.mark.parametrize(("folder", "code"), CATALOGUES)
def test_compiled_catalogue_is_the_written_one(folder, code):
    with (folder / code / "LC_MESSAGES/django.mo").open("rb") as file:
        compiled = read_mo(file)

    assert texts(compiled) == texts(catalogue(folder, code)), "Run `make messages`."


def test_one_text_is_translated_in_one_way():
    """Texts in both catalogues have one translation: the site's catalogue goes before the app's."""
    for code in {code for code, _name in settings.LANGUAGES} - {"en", "en-gb"}:
        site, app = (texts(catalogue(folder, code)) for folder in SOURCES)

        assert {key: site[key] for key in site.keys() & app} == {
            key: app[key] for key in site.keys() & app
        }
