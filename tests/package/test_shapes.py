"""Shapes of projects: the lines of `face_setup`, or those of the guide, lead to face login.

The project's own login works as before, its second factor is not passed by, and uninstalling leaves
it working.
"""

from __future__ import annotations

import re
import time
import tomllib
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import pytest

from tests.package import guide
from tests.package.conftest import ROOT, Environment
from tests.package.shaped import Project, who
from tests.package.shapes import EMAIL, PASSWORD, SHAPES
from tests.package.test_projects import DEVICE
from tests.support import guides, postgres
from tests.support.people import OBAMA, picture
from tests.support.visiting import Browser

# The sections of the guide that is followed in some shapes; in the others, `face_setup` writes.
# test_projects follows those about allauth and about projects without a login page.
SECTIONS = {
    "tutorial": "With Django's login view",
    "slugs": "With a login view of your own",
    "tokens": "With a second factor",
    "pages": "With Wagtail or another admin",
}


class Pythons(NamedTuple):
    """Two environments with all that the projects need, and how long faceauth took to install."""

    without: Path
    with_faceauth: Path
    seconds: float


@pytest.fixture(scope="module")
def pythons(wheel, tmp_path_factory):
    folder = tmp_path_factory.mktemp("environments")
    needs = sorted({each for shape in SHAPES.values() for each in ("django", *shape.needs)})
    made = [Environment(folder / name) for name in ("without", "with")]
    for each in made:
        each.pip("install", *needs)
    began = time.monotonic()
    made[1].pip("install", str(wheel))
    paths = [each.folder / "bin/python" for each in made]
    return Pythons(*paths, time.monotonic() - began)


@pytest.fixture
def write(pythons, tmp_path):
    """Write the project of that shape, and make its database."""
    made = []
    server = postgres.Server()

    def write(name):
        shape, variables = SHAPES[name], {}
        if shape.postgres:
            address = urlsplit(server.__enter__().url)
            variables = {
                "DATABASE_NAME": address.path.strip("/"),
                "DATABASE_PORT": str(address.port),
            }
        project = Project(shape, tmp_path / "project", pythons.without, variables)
        made.append(project)
        project.create()
        return project

    try:
        yield write
    except postgres.Unavailable as error:
        pytest.skip(f"PostgreSQL cannot be had: {error}")
    finally:
        for each in made:
            each.stop()
        server.__exit__()


def own_login_works(project: Project, *, token: bool = False) -> Browser:
    browser = project.visit()
    project.log_in(browser)
    if token:
        assert who(browser) == "nobody"
        project.send_token(browser)
    assert who(browser) == EMAIL
    return browser


def enrol(project: Project, browser: Browser) -> None:
    """Enrol the face of the user who is logged in, and trust the browser."""
    page = f"{browser.faces}enrol/"
    browser.token(page)
    challenge = browser.converse("obama", "enrol")
    shots = [picture(name) for name in OBAMA]
    status, answer = browser.post(page, shots, challenge=challenge, consent="on", trust="on")
    assert status == 200, answer


def trusted(project: Project, cookie: str) -> Browser:
    """A browser without a session, which the user trusts."""
    browser = project.visit()
    browser.cookies[DEVICE] = cookie
    browser.token(f"{browser.faces}login/")
    return browser


def second_factor_is_asked_for(project: Project, cookie: str) -> None:
    by_face = trusted(project, cookie)
    assert by_face.log_in("obama")[0] == 200
    assert who(by_face) == "nobody"
    by_password = trusted(project, cookie)
    *_others, name, password = project.shape.fields.values()
    by_password.send(f"{by_password.faces}login/", username=name, password=password)
    assert who(by_password) == "nobody"
    own_login_works(project, token=True)


def set_up(project: Project, section: str) -> int:
    """Add the lines of the guide, or those of `face_setup`. Return how many there are."""
    before = project.files
    if section:
        for step in guide.steps(section):
            if step.path:
                guide.type_in(step, project.folder)
        assert "At the end of" not in project.setup()
        project.manage("migrate", "-v0")
    else:
        (commands,) = guide.steps("How do people log in here now?")
        for each in commands.text.splitlines():
            project.run(*each.split()[1:], typed="y\n")
    lines = 0
    for name, text in project.files.items():
        added = text.removeprefix(before.get(name, "").rstrip())
        lines += sum(bool(each.strip()) and each[0] != "#" for each in added.splitlines())
    return lines


@pytest.mark.parametrize("title", [*SECTIONS.values(), "With django-allauth"])
def test_sections_of_the_guide_are_short(title):
    assert guide.lines(title) < 15


@pytest.mark.smoke
def test_guide_names_the_packages_that_came_along():
    needed = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    names = {re.split(r"[^\w-]", each)[0] for each in needed} - {"django"}
    text = guides.section("installation.md", "Uninstalling")
    assert [each for each in names if not re.search(rf"(^|[ `]){each}([ `]|$)", text, re.M)] == []


@pytest.mark.parametrize("name", SHAPES)
def test_face_login_comes_and_goes(write, pythons, capsys, name):
    project, section = write(name), SECTIONS.get(name, "")
    before = project.files
    project.serve()
    own_login_works(project)
    project.stop()

    # Installed.
    began = time.monotonic()
    project.python = pythons.with_faceauth
    lines = set_up(project, section)
    project.serve()
    browser = own_login_works(project)
    enrol(project, browser)
    cookie = browser.cookies[DEVICE]
    by_face = trusted(project, cookie)
    assert by_face.log_in("obama")[0] == 200
    assert who(by_face) == EMAIL
    minutes = (pythons.seconds + time.monotonic() - began) / 60
    with capsys.disabled():
        print(f"\n{name}, {section or 'face_setup'}: {lines} lines, {minutes:.1f} minutes")
        print("  (allauth's passkeys, in a project with allauth: 4 lines, 0.4 minutes)")
    stranger = trusted(project, cookie)
    assert stranger.log_in("biden")[0] == 401
    elsewhere = project.visit()
    elsewhere.token(f"{elsewhere.faces}login/")
    # By the name that people know.
    assert elsewhere.log_in("obama", username=EMAIL)[1].get("code_required") is True
    status, answer = by_face.post(f"{by_face.faces}confirm/", password=PASSWORD)
    assert status == 200, answer
    if project.shape.protect:
        project.protect()
        second_factor_is_asked_for(project, by_face.cookies[DEVICE])
    project.stop()

    # Uninstalled.
    profiles, tables, _columns, stale, _packages = guide.steps("Uninstalling")
    for step in (profiles, tables):
        project.run(*step.text.split()[1:])
    project.restore(before)
    project.python = pythons.without
    assert "faceauth" in project.run(*stale.text.split()[1:], typed="yes\n" * 20)
    assert project.run(*stale.text.split()[1:]) == ""
    project.manage("check", "--fail-level", "WARNING")
    project.manage("makemigrations", "--check", "--dry-run")
    if project.shape.protect:
        project.protect()
    project.serve()
    own_login_works(project, token=bool(project.shape.protect))
    old = project.visit()
    old.cookies = by_face.cookies
    assert who(old) == "nobody"
