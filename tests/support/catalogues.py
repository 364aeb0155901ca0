"""A translation of the app that a site has of its own."""

from __future__ import annotations

from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo


def write(folder: Path, code: str, texts: dict[str, str]) -> None:
    """Write a compiled catalogue into a folder for ``LOCALE_PATHS``."""
    said = Catalog(locale=code)
    said.add("en", code, context="language of this translation")
    for text, translated in texts.items():
        said.add(text, translated)
    path = folder / code / "LC_MESSAGES/django.mo"
    path.parent.mkdir(parents=True)
    with path.open("wb") as file:
        write_mo(file, said)
