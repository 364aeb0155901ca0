"""Shapes of projects: the lines of `face_setup`, or those of the guide, lead to face login.

It works over HTTP and in a browser. The project's own login works as before, its second factor is
not passed by, and uninstalling leaves it working.
"""

from __future__ import annotations

import re
import time
import tomllib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import pytest

from tests.package import browsed, guide
from tests.package.conftest import ROOT, Environment
from tests.package.shape import EMAIL, PASSWORD
from tests.package.shaped import Project, who
from tests.package.shapes import SHAPES
from tests.package.test_projects import DEVICE
from tests.support import guides, postgres
from tests.support.people import OBAMA, picture
from tests.support.visiting import Browser
from tests.support.webcam import Webcam

# The sections of the guide that is followed in some shapes; in the others, `face_setup` writes.
# test_projects follows those about allauth and about projects without a login page.
SECTIONS = {
    "tutorial": "With Django's login view",
    "slugs": "With a login view of your own",
    "tokens": "With a second factor",
    "pages": "With Wagtail or another admin",
}

# What turns on the passkeys of allauth in a project that has its second factor.
PASSKEYS = """
INSTALLED_APPS = [*INSTALLED_APPS, "django.contrib.humanize"]
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = True  # on localhost
"""


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


@contextmanager
def written(name: str, pythons: Pythons, folder: Path) -> Iterator[Project]:
    """Write the project of that shape, and make its database."""
    shape, variables = SHAPES[name], {}
    with ExitStack() as stack:
        if shape.postgres:
            try:
                address = urlsplit(stack.enter_context(postgres.Server()).url)
            except postgres.Unavailable as error:
                pytest.skip(f"PostgreSQL cannot be had: {error}")
            variables = {
                "DATABASE_NAME": address.path.strip("/"),
                "DATABASE_PORT": str(address.port),
            }
        project = Project(shape, folder, pythons.without, variables)
        stack.callback(project.stop)
        project.create()
        yield project


@pytest.fixture(scope="module")
def webcam(tmp_path_factory):
    return Webcam(tmp_path_factory.mktemp("webcam") / "webcam.y4m")


@pytest.fixture(scope="module")
def beside(pythons, webcam, tmp_path_factory):
    """What the passkeys of allauth take in the project that has allauth, and its second factor."""
    with written("async", pythons, tmp_path_factory.mktemp("passkeys") / "project") as project:
        began = time.monotonic()
        before = project.files
        project.add({"mysite/settings.py": PASSKEYS})
        lines = project.lines_since(before)
        project.serve()
        with browsed.visit(project, webcam) as person:
            person.log_in()
            person.add_passkey()
            person.log_out()
            person.log_in_by_passkey()
            assert person.who == EMAIL
        minutes = (time.monotonic() - began) / 60
        return f"allauth’s passkeys, beside allauth: {lines} lines, {minutes:.1f} minutes"


def own_login_works(project: Project) -> Browser:
    browser = project.visit()
    project.log_in(browser)
    assert who(browser) == EMAIL
    return browser


def enrol(project: Project, browser: Browser) -> None:
    """Replace the face of the user who is logged in, and trust the browser."""
    page, confirm = f"{browser.faces}enrol/", f"{browser.faces}confirm/"
    browser.token(confirm)
    shots = [picture(name) for name in OBAMA]
    for status, answer in (
        browser.post(confirm, password=PASSWORD),
        browser.prove("obama", "confirm", confirm),
        browser.prove("obama", "enrol", page, shots, consent="on", trust="on"),
    ):
        assert status == 200, answer


def trusted(project: Project, cookie: str) -> Browser:
    """A browser without a session, which the user trusts."""
    browser = project.visit()
    browser.cookies[DEVICE] = cookie
    browser.token(f"{browser.faces}login/")
    return browser


def face_logs_in(person: browsed.Visit) -> None:
    """In the browser: enrol by the page, and log in by face from the project's own page."""
    person.log_in()
    assert person.who == EMAIL
    person.enrol("obama")
    person.log_out()
    assert person.who == "nobody"
    person.log_in_by_face("obama2")
    assert person.who == EMAIL


def only_the_owner_gets_in(project: Project) -> Browser:
    """Over HTTP: enrol, and log in by face; others are refused. Return the trusted browser."""
    browser = own_login_works(project)
    enrol(project, browser)
    cookie = browser.cookies[DEVICE]
    by_face = trusted(project, cookie)
    assert by_face.log_in("obama")[0] == 200
    assert who(by_face) == EMAIL
    stranger = trusted(project, cookie)
    assert stranger.log_in("biden")[0] == 401
    elsewhere = project.visit()
    elsewhere.token(f"{elsewhere.faces}login/")
    # By the name that people know.
    assert elsewhere.log_in("obama", username=EMAIL)[1].get("code_required") is True
    return by_face


def second_factor_is_asked_for(project: Project, person: browsed.Visit, cookie: str) -> None:
    """After a face and after a password, on the pages of faceauth and on the project's own."""
    by_face = trusted(project, cookie)
    assert by_face.log_in("obama")[0] == 200
    assert who(by_face) == "nobody"
    by_password = trusted(project, cookie)
    *_others, name, password = project.shape.fields.values()
    by_password.send(f"{by_password.faces}login/", username=name, password=password)
    assert who(by_password) == "nobody"
    person.log_out()
    person.log_in_by_face("obama3")
    assert person.path in (project.shape.page, project.shape.token_page)
    assert person.who == "nobody"
    person.log_out()
    person.log_in()
    assert person.who == "nobody"
    person.log_out()
    person.log_in(with_token=True)
    assert person.who == EMAIL


def set_up(project: Project, section: str) -> int:
    """Add the lines of the guide, or those of `face_setup`. Return how many there are."""
    before = project.files
    if section:
        for step in [*guide.steps(section), *guide.steps("Inside your base template")]:
            if step.path:
                guide.type_in(step, project.folder)
        assert "At the end of" not in project.setup()
        project.manage("migrate", "-v0")
    else:
        (commands,) = guide.steps("How do people log in here now?")
        for each in commands.text.splitlines():
            project.run(*each.split()[1:], typed="y\n")
    project.add(project.shape.link)
    return project.lines_since(before)


def uninstall(project: Project, before: dict[str, str], python: Path) -> None:
    """Take everything out again, as the guide says."""
    profiles, tables, _columns, stale, _packages = guide.steps("Uninstalling")
    for step in (profiles, tables):
        project.run(*step.text.split()[1:])
    project.restore(before)
    project.python = python
    assert "faceauth" in project.run(*stale.text.split()[1:], typed="yes\n" * 20)
    assert project.run(*stale.text.split()[1:]) == ""
    project.manage("check", "--fail-level", "WARNING")
    project.manage("makemigrations", "--check", "--dry-run")


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
def test_face_login_comes_and_goes(pythons, webcam, beside, capsys, tmp_path, name):
    section = SECTIONS.get(name, "")
    with written(name, pythons, tmp_path / "project") as project:
        before = project.files
        project.serve()
        own_login_works(project)
        project.stop()

        began = time.monotonic()
        project.python = pythons.with_faceauth
        lines = set_up(project, section)
        project.serve()
        with browsed.visit(project, webcam) as person:
            face_logs_in(person)
            minutes = (pythons.seconds + time.monotonic() - began) / 60
            with capsys.disabled():
                print(f"\n{name}, {section or 'face_setup'}: {lines} lines, {minutes:.1f} minutes")
                print(f"  {beside}")
            by_face = only_the_owner_gets_in(project)
            if project.shape.protect:
                project.protect()
                second_factor_is_asked_for(project, person, by_face.cookies[DEVICE])
            project.stop()

            uninstall(project, before, pythons.without)
            if project.shape.protect:
                project.protect()
            project.serve()
            person.log_out()
            person.log_in(with_token=bool(project.shape.protect))
            assert person.who == EMAIL
            old = project.visit()
            old.cookies = by_face.cookies
            assert who(old) == "nobody"
