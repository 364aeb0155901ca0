"""Fixtures that every kind of test may use."""

from __future__ import annotations

from importlib.util import find_spec

import pytest
from django.conf import settings
from django.core.cache import cache
from django.utils import translation

from tests.support import commits
from tests.support.faces import Faces
from tests.support.oracle import Oracle
from tests.support.requirements import unavailable

# Suites of a project other than the one whose settings are in force, see tests/projects.
_, _, PROJECT, SETTINGS = settings.SETTINGS_MODULE.split(".")
collect_ignore = [suite for suite in ("stock", "own") if suite != PROJECT]
if SETTINGS != "pgvector":
    collect_ignore.append("vectors")


@pytest.fixture(autouse=True)
def empty_cache() -> None:
    """Let no test be slowed down for the pictures that the one before has sent."""
    cache.clear()


@pytest.fixture(autouse=True)
def sites_language() -> None:
    """Let no test speak the language of the visitor before."""
    translation.deactivate()


@pytest.fixture(autouse=True)
def after_commit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let events be announced in tests whose transaction is rolled back."""
    commits.run_on_commit(monkeypatch)


@pytest.fixture(scope="session")
def faces() -> Faces:
    """Photographs of real people by name, as bytes: `faces["obama"]`."""
    return Faces()


@pytest.fixture(scope="session")
def oracle() -> Oracle:
    """The face_recognition package."""
    if find_spec("face_recognition") is None:
        unavailable("face_recognition is not installed; run `make dev`")
    return Oracle()


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    django_db_modify_db_settings: None, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Keep SQLite's test data in a file, as the site does.

    In memory, all threads of the live server would share one connection and its transactions.
    """
    database = settings.DATABASES["default"]
    if database["ENGINE"].endswith("sqlite3"):
        test = database.setdefault("TEST", {})
        test["NAME"] = str(tmp_path_factory.mktemp("database") / "test.sqlite3")
