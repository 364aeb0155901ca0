from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from accounts.models import User
from faceauth.gallery import gallery
from tests.support.people import encodings, enrol_silently, picture

JSON = {"Accept": "application/json"}

PASSWORD = "a long password"


@pytest.fixture(autouse=True)
def empty_gallery() -> Iterator[None]:
    """Let no test meet the faces of the one before."""
    gallery.cache_clear()
    yield
    gallery.cache_clear()


@pytest.fixture
def upload() -> Callable[..., SimpleUploadedFile]:
    """A photograph as a form would send it: `upload("obama")`, or any bytes."""

    def make(what: str | bytes, name: str = "face.jpg") -> SimpleUploadedFile:
        data = picture(what) if isinstance(what, str) else what
        return SimpleUploadedFile(name, data, "image/jpeg")

    return make


@pytest.fixture
def enrolled(db: None) -> Callable[..., User]:
    """Make a user with that face: `enrolled("ada", "obama", "obama2")`."""

    def make(username: str, *photos: str, **fields: Any) -> User:
        user = User(username=username, email=f"{username}@example.com", **fields)
        user.set_password(fields.get("password"))
        user.save()
        enrol_silently(user, encodings(*photos))
        return user

    return make


@pytest.fixture
def obama(enrolled: Callable[..., User]) -> User:
    """A user with Obama's face, all but the picture "obama2", and `PASSWORD`."""
    return enrolled("obama", "obama", "obama3", "obama up", password=PASSWORD)


@pytest.fixture
def ask(client: Client) -> Callable[..., tuple[int, dict[str, Any]]]:
    """Post a form as the page's script does: status and JSON."""

    def post(path: str, /, **data: Any) -> tuple[int, dict[str, Any]]:
        response = client.post(path, data, headers=JSON)
        return response.status_code, response.json()

    return post


def log_out(client: Client) -> None:
    """As on the page: what the browser keeps besides the session stays."""
    client.post("/accounts/logout/")


def username_of(client: Client) -> str | None:
    """Who is logged in."""
    key = client.session.get("_auth_user_id")
    return User.objects.get(pk=key).username if key else None
