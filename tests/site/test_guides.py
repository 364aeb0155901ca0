"""Run every block of code in docs/, here or in the test module that `ELSEWHERE` names."""

from __future__ import annotations

import re
import shlex
import tomllib
from pathlib import Path

import pytest
from django.core import checks
from django.core.management import find_commands, get_commands, load_command_class
from django.urls import path, resolve, reverse

from faceauth import errors
from faceauth.recognition import encoders
from tests.support import encoders as support
from tests.support import guides

ROOT = Path(__file__).parents[2]
PAGES = sorted(each.name for each in guides.DOCS.glob("*.md"))

# The test modules that run the blocks of a page, and the languages of these blocks.
ELSEWHERE = {
    "api.md": ("tests/site/test_api_docs.py", {"bash", "json", "python"}),
    "customise.md": ("tests/site/test_overriding.py", {"css", "django", "python"}),
    "installation.md": ("tests/package/guide.py", {"", "django", "python"}),
    "passkeys.md": ("tests/otp/test_passkeys.py", {"django", "python"}),
    "recipes.md": ("tests/site/test_recipes.py", {"django", "nginx", "python"}),
    "stepup.md": ("tests/site/test_step_up.py", {"python"}),
    "scaling.md": ("tests/vectors/test_guide.py", {"", "python"}),
}
SCRIPTS = {"customise.md": "tests/browser/test_events.py"}

# Sphinx handles the directives; blocks of text are diagrams.
NOT_CODE = {"{toctree}", "{eval-rst}", "{glossary}", "text"}

# Not installed in the example site.
PGVECTOR = ROOT / "faceauth/pgvector/management"

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def left(*kinds):
    """Return the blocks in these languages that no other test runs, each with its page."""
    return [
        (page, block.text)
        for page in PAGES
        for block in guides.blocks(page, *kinds)
        if block.kind not in ELSEWHERE.get(page, ("", set()))[1]
    ]


def lines():
    """Return the lines of all shell blocks, each line once."""
    typed = [text for page, text in left("") if page != "api.md"]
    return sorted({line for text in typed for line in text.splitlines()})


def test_no_block_is_left_out():
    for page in PAGES:
        there = {each.kind for each in guides.blocks(page)} - NOT_CODE
        where, kinds = ELSEWHERE.get(page, ("", set()))
        if where:
            assert page in (ROOT / where).read_text(), page
        if "js" in there:
            assert page in (ROOT / SCRIPTS[page]).read_text()
        assert there - kinds <= {"", "python", "js"}, page


@pytest.mark.parametrize("line", lines())
def test_what_is_typed_exists(line):
    words = [each for each in shlex.split(line) if each != "&&"]
    while re.match(r"[A-Z_]+=", words[0]):
        del words[0]
    match words:
        case ["python" | ".venv/bin/python", "manage.py", name, *arguments]:
            command = load_command_class(get_commands()[name], name)
            command.create_parser("manage.py", name).parse_args(arguments)
        case ["make", target]:
            assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.MULTILINE)
        case ["openssl", "req", *_] | [".venv/bin/gunicorn", "config.wsgi", *_]:
            pass  # tests/site/test_recipes.py runs them.
        case ["gunicorn", "config.wsgi"]:
            assert (ROOT / "gunicorn.conf.py").exists()
        case ["pip", "install" | "uninstall", *arguments]:
            installs(arguments[-1])
        case ["cp", *files, _]:
            assert [each for each in files if not (ROOT / each).exists()] == []
        case ["sh", script]:
            assert (ROOT / script).exists()
        case ["systemctl", "enable", "--now", *units]:
            assert [each for each in units if not (ROOT / "deploy" / each).exists()] == []
        case ["docker", "compose", "up", "--detach"]:
            assert (ROOT / "compose.yaml").exists()
        case ["psql", "-c", copy]:
            assert copy.endswith("CSV HEADER")
        case ["export", variable]:
            name = variable.split("=")[0]
            assert name in (ROOT / "gunicorn.conf.py").read_text()
        case ["rm", "-rf", folder, "mkdir", "-p", same]:
            assert folder == same
        case _:
            pytest.fail("This test does not know the command.")


def installs(what):
    """Check that pip would install faceauth, one of its extras or one of its dependencies."""
    name, _, extra = what.rstrip("]").partition("[")
    extras = PROJECT["optional-dependencies"]
    needed = [*PROJECT["dependencies"], *(each for them in extras.values() for each in them)]
    assert name in ("faceauth", *(re.split(r"[^\w-]", each)[0] for each in needed))
    assert not extra or extra in extras


@pytest.mark.parametrize(("page", "text"), left("python"))
def test_python_runs(page, text, settings, tmp_path, capsys):
    file = support.network(tmp_path / "facenet.onnx")
    names = {"path": path, "urlpatterns": []}
    exec(text.replace("/srv/facenet.onnx", str(file)), names)  # it is ours
    for each in names["urlpatterns"]:
        assert callable(each.callback)
    given = names.get("FACEAUTH", {})
    if "CALIBRATION" in given:
        # The page describes how to create this folder.
        settings.FACEAUTH = {"ENCODER": given["ENCODER"]}
        name = encoders.encoder().name
        given["CALIBRATION"] = support.calibration(tmp_path / "own", name, size=64, limit=0.5)
    settings.FACEAUTH = {**settings.FACEAUTH, **given}
    assert [each for each in checks.run_checks() if each.id.startswith("faceauth.E")] == []


def test_what_the_api_is_sent_and_answers_exists():
    text = "".join(text for page, text in left("") if page == "api.md")
    codes = {each.default_code for each in vars(errors).values() if hasattr(each, "default_code")}
    assert set(re.findall(r'"code": "(\w+)"', text)) == {"face_required"} <= codes
    assert {resolve(each).view_name for each in re.findall(r"/face/\w+/", text)} == {
        "faceauth:confirm",
        "faceauth:frames",
        "faceauth:login",
        "faceauth:verify",
    }
    assert reverse("faceauth:confirm") + "?next=" in text


def test_commands_that_are_named_exist():
    for page in PAGES:
        named = set(re.findall(r"manage\.py (\w+)", guides.page(page)))
        assert named <= {*get_commands(), *find_commands(str(PGVECTOR))}, page
