"""Fixtures that every kind of test may use."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from typing import Any

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import translation

from faceauth.audit import outbox
from faceauth.gallery import gallery
from faceauth.liveness import replay, steps
from faceauth.lockout import budget
from tests.support import commits
from tests.support.accounts import PASSWORD, account
from tests.support.faces import Faces
from tests.support.oracle import Oracle
from tests.support.people import encodings, enrol_silently, picture
from tests.support.requirements import unavailable

# Suites of a project other than the one whose settings are in force, see tests/projects.
_, _, PROJECT, SETTINGS = settings.SETTINGS_MODULE.split(".")
collect_ignore = [
    suite for suite in ("stock", "own", "members", "allauth", "otp") if suite != PROJECT
]
if SETTINGS != "pgvector":
    collect_ignore.append("vectors")


@pytest.fixture(autouse=True)
def sites_language() -> None:
    """Let no test speak the language of the visitor before."""
    translation.deactivate()


@pytest.fixture(autouse=True)
def after_commit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let events be announced in tests whose transaction is rolled back."""
    commits.run_on_commit(monkeypatch)


@pytest.fixture(autouse=True)
def new_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take no login for a film of an earlier one.

    A person of these tests is one photograph that a program moves, so nearly all would be.
    """
    monkeypatch.setattr(replay, "WITHIN", 0.0)


@pytest.fixture(autouse=True)
def repeated_challenges(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Draw the same challenges each time a test runs.

    One of 500 is not passed by the person of these tests, who seems to have no relief then.
    """
    monkeypatch.setattr(steps, "_random", random.Random(request.node.nodeid))


@pytest.fixture(autouse=True)
def empty_gallery() -> Iterator[None]:
    """Let no test meet the faces of the one before."""
    gallery.cache_clear()
    yield
    gallery.cache_clear()


@pytest.fixture(autouse=True)
def unspent_budgets() -> None:
    """Let no test pay for the frames of the one before."""
    budget.forget()


@pytest.fixture(autouse=True)
def empty_outbox() -> Iterator[None]:
    """Let no mail arrive in the test after the one that it belongs to."""
    yield
    assert outbox.flush(10)


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


@pytest.fixture
def enrolled(db: None) -> Callable[..., Any]:
    """Create a user with a face: `enrolled("ada", "obama", "obama2", password=PASSWORD)`."""

    def make(name: str, *photos: str, password: str | None = None, **fields: Any) -> Any:
        user = account(name, password, **fields)
        enrol_silently(user, encodings(*photos))
        return user

    return make


@pytest.fixture
def obama(enrolled: Callable[..., Any]) -> Any:
    """A user with Obama's face, all but the picture "obama2", and `PASSWORD`."""
    return enrolled("obama", "obama", "obama3", "obama up", password=PASSWORD)


@pytest.fixture
def upload() -> Callable[..., SimpleUploadedFile]:
    """A photograph as a form would send it: `upload("obama")`, or any bytes."""

    def make(what: str | bytes, name: str = "face.jpg") -> SimpleUploadedFile:
        data = picture(what) if isinstance(what, str) else what
        return SimpleUploadedFile(name, data, "image/jpeg")

    return make


@pytest.fixture
def ask(client: Client) -> Callable[..., tuple[int, dict[str, Any]]]:
    """Post a form as the page's script does: status and JSON."""

    def post(path: str, /, **data: Any) -> tuple[int, dict[str, Any]]:
        response = client.post(path, data, headers={"Accept": "application/json"})
        return response.status_code, response.json()

    return post


@pytest.fixture
def send(ask: Callable[..., Any], upload: Callable[..., Any]) -> Callable[..., Any]:
    """Post a form with these pictures, as a page's script does: status and JSON."""

    def post(path: str, *photos: str, **data: Any) -> Any:
        return ask(path, snapshot=[upload(each) for each in photos], **data)

    return post
