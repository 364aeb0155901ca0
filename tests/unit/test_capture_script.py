"""The pages with a camera load all modules of their script at once."""

from __future__ import annotations

import re

from django.template.loader import render_to_string

from tests.unit.test_catalogues import ROOT

SCRIPTS = ROOT / "faceauth/static/faceauth"


def test_every_imported_module_is_preloaded_and_no_other():
    page = render_to_string("faceauth/capture_script.html")
    preloaded = re.findall(r'<link rel="modulepreload"\s+href="[^"]*?/([\w-]+\.js)">', page)
    assert sorted(preloaded) == sorted(imported("capture.js") - {"capture.js"})


def imported(name: str) -> set[str]:
    """Return a module and all that it imports, directly or not."""
    found: set[str] = set()
    waiting = [name]
    while waiting:
        each = waiting.pop()
        if each not in found:
            found.add(each)
            waiting += re.findall(r'from "\./([\w-]+\.js)"', (SCRIPTS / each).read_text())
    return found
