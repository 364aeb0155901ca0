"""Build docs/ and check the pages: no warnings, no broken links, nothing loaded from elsewhere."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tests.package.conftest import ROOT

# Elements whose URLs a browser fetches without a click.
LOADS = {"script": "src", "link": "href", "img": "src", "iframe": "src", "source": "src"}


class Page(HTMLParser):
    """Collect the URLs that a page loads, its links, and its anchors."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.links: list[str] = []
        self.places: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attributes}
        self.places.add(given.get("id", ""))
        if tag in LOADS and given.get("rel") not in ("index", "search", "next", "prev"):
            self.loads.append(given.get(LOADS[tag], ""))
        if tag == "a":
            self.links.append(given.get("href", ""))


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """Build all pages and return their folder. Warnings are errors."""
    folder = tmp_path_factory.mktemp("docs")
    settings = {"DJANGO_SETTINGS_MODULE", "DATABASE_URL"}
    done = subprocess.run(
        [sys.executable, "-m", "sphinx", "-W", "--keep-going", "--quiet", "docs", str(folder)],
        cwd=ROOT,
        env={name: each for name, each in os.environ.items() if name not in settings},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return folder


@pytest.fixture(scope="module")
def pages(built):
    return {path.relative_to(built): Page(path.read_text()) for path in built.rglob("*.html")}


def test_every_page_is_built_and_can_be_found(built):
    written = {path.stem for path in (ROOT / "docs").glob("*.md")}
    assert {path.stem for path in built.glob("*.html")} >= written
    front = (built / "index.html").read_text()
    assert [each for each in written - {"index"} if f'href="{each}.html"' not in front] == []


def test_pages_load_nothing_from_elsewhere(built, pages):
    loaded = [each for page in pages.values() for each in page.loads]
    assert len(loaded) > 20
    assert [each for each in loaded if re.match(r"(\w+:)?//", each)] == []
    styles = "".join(path.read_text() for path in built.rglob("*.css"))
    assert re.findall(r"(?:@import|url\()\s*[\"']?(?:https?:)?//[^)\"']*", styles) == []


def test_links_within_lead_somewhere(pages):
    broken = []
    for place, page in pages.items():
        for link in page.links:
            path, _, anchor = link.partition("#")
            if re.match(r"\w+:", link) or path.startswith("_downloads"):
                continue
            target = Path(os.path.normpath(place.parent / path)) if path else place
            if target.suffix == ".html":
                known = target in pages and (not anchor or anchor in pages[target].places)
                broken += [] if known else [f"{place}: {link}"]
    assert broken == []


def test_the_reference_has_what_the_readme_calls_by_name(built):
    reference = Page((built / "reference.html").read_text()).places
    assert {
        "faceauth.vision.Engine.find_faces",
        "faceauth.vision.decode_image",
        "faceauth.enrolment.enrol",
        "faceauth.backends.FaceBackend",
        "faceauth.decorators.face_required",
        "faceauth.mixins.FaceRequiredMixin",
        "faceauth.models.FaceTemplateMixin",
        "faceauth.errors.NotRecognised",
        "faceauth.faces.of",
    } <= reference
