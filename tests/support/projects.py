"""Set up test projects from the blocks of docs/ that their owners would copy."""

from __future__ import annotations

import re
from typing import Any

from tests.support import guides


def follow(page: str, title: str, file: str, names: dict[str, Any]) -> None:
    """Run the blocks under a heading that belong at the end of that file of the project.

    Args:
        page: The page.
        title: The heading.
        file: The file, such as "mysite/settings.py". A block names it in a comment, or the line
            before the block does.
        names: What the file defines already. What the blocks define is added.
    """
    found = [
        block
        for block in guides.blocks_of(guides.section(page, title), "python")
        if file in (block.path, *re.findall(r"`([\w/.]+)`", block.before))
    ]
    assert found, (page, title, file)
    names.setdefault("__name__", file.removesuffix(".py").replace("/", "."))
    for block in found:
        exec(block.text, names)  # it is ours


def templates(page: str, given: Any) -> Any:
    """Return the setting TEMPLATES with the templates of that page before those of the apps."""
    files = {
        block.path.removeprefix("templates/"): block.text
        for block in guides.blocks(page, "django")
        if block.path
    }
    options = {
        **given[0]["OPTIONS"],
        "loaders": [
            ("django.template.loaders.locmem.Loader", files),
            "django.template.loaders.filesystem.Loader",
            "django.template.loaders.app_directories.Loader",
        ],
    }
    return [{**given[0], "APP_DIRS": False, "OPTIONS": options}]
