"""The tests with every Python and Django that the app is for, as far as they are on this machine:
`make test-all`. Those that pyenv keeps are seen with ``PYENV_VERSION=3.11:3.12:3.13``.
"""

from __future__ import annotations

import os

import nox

nox.needs_version = ">=2026.2.9"
nox.options.default_venv_backend = "uv|venv"
nox.options.reuse_venv = "yes"
nox.options.envdir = ".cache/nox"
# Those that are not here are named and left out.
nox.options.download_python = "never"
nox.options.error_on_missing_interpreters = False

# Django 6 is for Python 3.12 and newer.
VERSIONS = [
    ("3.11", "5.2"),
    *[(python, django) for python in ("3.12", "3.13") for django in ("5.2", "6.0", "6.1")],
]

ORACLE = ".cache/face_recognition-1.3.0.tar.gz"

tested: list[str] = []


@nox.session
@nox.parametrize("python,django", VERSIONS)
def tests(session: nox.Session, django: str) -> None:
    """All but the browser's, the package's and those of robustness; or what is named behind --."""
    session.install("-r", "requirements.txt", "-e", ".[dev]", f"django~={django}.0")
    if os.path.exists(ORACLE):
        session.install("--no-deps", ORACLE)
    tested.append(session.name)
    # What is said of it is what runs.
    session.run("python", "-c", "import django, sys; print(django.__version__, sys.version)")
    if session.posargs:
        session.run("pytest", *session.posargs)
        return
    session.run("pytest", "-n", "auto", "tests/unit", "tests/site", "tests/shared")
    session.run("pytest", "--ds=tests.projects.stock.settings", "tests/stock", "tests/shared")
    session.run("pytest", "--ds=tests.projects.own.settings", "tests/own", "tests/shared")
    session.run("pytest", "--ds=tests.projects.members.settings", "tests/members")
    session.run("pytest", "--ds=tests.projects.allauth.settings", "-m", "not slow", "tests/allauth")
    session.run("pytest", "--ds=tests.projects.otp.settings", "-m", "not slow", "tests/otp")


@nox.session(python=False)
def something(session: nox.Session) -> None:
    """Something was tested."""
    if not tested and os.environ.get("CI") == "true":
        session.error("no Python that the app is for is on this machine")
