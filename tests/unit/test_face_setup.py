"""face_setup: prints or writes the lines that a project lacks, and leaves everything else alone."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from tests.package.conftest import ROOT
from tests.package.shape import Shape
from tests.package.shaped import Project
from tests.package.shapes import SHAPES
from tests.support import guides

# The others have the same traits, or need packages that are not installed here.
NAMES = ["tokens", "pages", "languages"]

NEXT = "python manage.py migrate"

GET_LOGIN = """
from django.test import Client
from django.urls import reverse

answer = Client(SERVER_NAME="127.0.0.1").get(reverse("faceauth:login"))
print(answer.status_code, b"data-faceauth" in answer.content, b'class="site"' in answer.content)
"""


@pytest.fixture
def write(tmp_path):
    """Write a project: one of the shapes, or what startproject makes with these files."""

    def write(shape="", files=None):
        made = SHAPES[shape] if shape else Shape(files or {}, {"username": "ada"}, "", {})
        return Project(made, tmp_path / "project")

    return write


@pytest.mark.parametrize("name", NAMES)
def test_lines_are_all_that_the_project_needs(write, name):
    project = write(name)
    before = project.files
    printed = project.setup()
    assert project.files == before

    written = project.setup("--write", "--no-input")
    after = project.files
    assert {each for each in after if after[each] != before.get(each)} >= {
        "mysite/settings.py",
        "mysite/urls.py",
    }
    for each, text in before.items():
        # Nothing but lines at the end, and these are the ones that were printed.
        assert after[each].startswith(text.rstrip())
        added = after[each][len(text.rstrip()) :].splitlines()
        assert {line.strip() for line in added if line and line[0] != "#"} <= {
            line.strip() for line in printed.splitlines()
        }
    project.create()
    # The page is inside the project's own base template.
    assert project.manage("shell", "-c", GET_LOGIN).splitlines()[-1] == "200 True True"

    # Again: what is left is for people.
    rest = project.setup("--write", "--no-input")
    assert NEXT in written and NEXT not in rest
    assert project.files == after
    assert "At the end of" not in rest and "In a new file" not in rest
    for start in project.shape.by_hand:
        assert start in rest
    assert "faceauth.W026" not in project.manage("check")
    assert ("faceauth.otp.urls" in after["mysite/urls.py"]) == (name == "tokens")
    assert ('i18n_patterns(path("face/"' in after["mysite/urls.py"]) == (name == "languages")
    assert after["mysite/urls.py"].count("import i18n_patterns") <= 1


def test_link_that_is_there_is_not_asked_for(write):
    project = write("slugs")
    project.setup("--write", "--no-input")
    project.create()
    assert "{% face_login_button %}" in project.setup()
    page = project.folder / "templates/registration/login.html"
    page.write_text(
        page.read_text().replace("</form>", "</form>{% load faceauth %}{% face_login_button %}")
    )
    assert "Nothing is missing." in project.manage("face_doctor", "--project")


def test_nothing_is_written_without_a_yes(write):
    project = write()
    before = project.files
    told = project.setup("--write", typed="n\n")
    assert '+INSTALLED_APPS = [*INSTALLED_APPS, "faceauth", "faceauth.profiles"]' in told
    assert "Nothing was changed." in told
    assert project.files == before
    project.setup("--write", typed="y\n")
    assert project.files != before


def test_lines_with_which_the_project_does_not_start_are_taken_back(write):
    settings = 'INSTALLED_APPS += ["picky"]\n'
    app = """
from django.apps import AppConfig, apps


class PickyConfig(AppConfig):
    name = "picky"

    def ready(self):
        assert not apps.is_installed("faceauth"), "I do not like it."
"""
    files = {"mysite/settings.py": settings, "picky/__init__.py": "", "picky/apps.py": app}
    project = write(files=files)
    before = project.files
    told = project.setup("--write", "--no-input", fails=True)
    assert "taken back" in told and "I do not like it." in told
    assert project.files == before


def test_settings_of_several_files_are_changed_where_they_are_set(write):
    project = write()
    settings = project.folder / "mysite/settings.py"
    (project.folder / "mysite/base.py").write_text(settings.read_text())
    settings.write_text("""
from .base import *

INSTALLED_APPS += ["django.contrib.sites"]
try:
    from .local import *
except ImportError:
    pass
""")
    before = project.files
    project.setup("--write", "--no-input")
    assert project.files["mysite/settings.py"] == before["mysite/settings.py"]
    assert '"faceauth.profiles"' in project.files["mysite/base.py"]


def test_settings_that_are_not_understood_are_left_to_people(write):
    project = write()
    settings = project.folder / "mysite/settings.py"
    text = settings.read_text().replace("INSTALLED_APPS = [", 'globals()["INSTALLED_APPS"] = [')
    settings.write_text(text)
    before = project.files
    told = project.setup("--write", "--no-input")
    assert 'INSTALLED_APPS = [*INSTALLED_APPS, "faceauth", "faceauth.profiles"]' in told
    assert "In your settings" in told
    assert project.files == before


def test_user_model_that_holds_faces_gets_no_table_beside_it(write):
    model = """
from django.contrib.auth.models import AbstractUser

from faceauth.models import FaceTemplateMixin


class Person(AbstractUser, FaceTemplateMixin):
    pass
"""
    settings = 'INSTALLED_APPS += ["faceauth", "people"]\nAUTH_USER_MODEL = "people.Person"\n'
    files = {"people/__init__.py": "", "people/models.py": model, "mysite/settings.py": settings}
    project = write(files=files)
    told = project.manage("face_setup")
    assert "faceauth.profiles" not in told
    assert '"faceauth.backends.FaceBackend"' in told


def test_site_below_a_prefix_has_a_login_page(write):
    settings = 'FORCE_SCRIPT_NAME = "/app"\nLOGIN_URL = "/app/me/"\n'
    told = write(files={"mysite/settings.py": settings}).setup()
    assert "they log in at /app/me/." in told
    assert "LOGIN_URL =" not in told


def test_base_template_without_the_block_is_left_alone(write):
    project = write()
    base = project.folder / "templates/base.html"
    base.write_text(base.read_text().replace("block content", "block main"))
    project.setup("--write", "--no-input")
    assert "templates/faceauth/base.html" not in project.files


def test_project_that_says_nothing_of_emails_prints_them(write):
    """As Django's own template does, from 6.1 on."""
    project = write()
    settings = project.folder / "mysite/settings.py"
    text = settings.read_text()
    settings.write_text(re.sub("^EMAIL_BACKEND = .*$", "", text, flags=re.MULTILINE))
    project.setup("--write", "--no-input")
    written = project.files
    line = "if DEBUG:  # Emails are printed where the site runs.\n    EMAIL_BACKEND ="
    assert (line in written["mysite/settings.py"]) == ("MAILERS" not in text)
    project.create()
    told = project.manage("face_doctor")
    assert "console.EmailBackend takes emails" in told
    assert "faceauth.I003" not in told + project.manage("check")
    project.setup("--write", "--no-input")
    assert project.files == written


def test_line_ends_stay_as_they_are(write):
    project = write()
    urls = project.folder / "mysite/urls.py"
    urls.write_bytes(urls.read_bytes().replace(b"\n", b"\r\n"))
    project.setup("--write", "--no-input")
    assert b'include("faceauth.urls")' in urls.read_bytes()
    assert b"\n" not in urls.read_bytes().replace(b"\r\n", b"")


def test_address_of_the_project_is_not_taken(write):
    project = write(files={"mysite/urls.py": 'urlpatterns += [path("face/login/", me)]\n'})
    assert 'path("faceauth/", include("faceauth.urls"))' in project.setup()


def test_folder_without_a_project(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "faceauth", "setup"],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "There is no manage.py here. Go to the folder that contains it first.\n"


def test_lines_of_the_readme(tmp_path):
    """In a project of Django's own command, without a line of anybody else's."""
    project = Project(Shape({}, {"username": "ada"}, "", {}, common=False), tmp_path / "project")
    (block,) = [
        block.text
        for block in guides.blocks_of((ROOT / "README.md").read_text(), "python")
        if "INSTALLED_APPS" in block.text
    ]
    settings, urls = block.split("# urls.py")
    for name, text in ("settings", settings), ("urls", f"#{urls}"):
        with (project.folder / f"mysite/{name}.py").open("a") as file:
            file.write(text)
    project.create()
    assert project.manage("shell", "-c", GET_LOGIN).splitlines()[-1] == "200 True False"
    assert "faceauth.W030" not in project.manage("check")
    told = project.setup()
    assert "INSTALLED_APPS" not in told and "urlpatterns" not in told and "LOGIN_" not in told
