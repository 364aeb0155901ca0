"""Faces beside users of Django's own model, which knows nothing of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from faceauth import faces
from faceauth.gallery import gallery
from tests.support.people import encodings, enrol_silently, picture

PASSWORD = "a long password"


@pytest.fixture(autouse=True)
def empty_gallery() -> Iterator[None]:
    """Let no test meet the faces of the one before."""
    gallery.cache_clear()
    yield
    gallery.cache_clear()


@pytest.fixture
def ada(db: None) -> User:
    """A user without a face."""
    return User.objects.create_user("ada", "ada@example.com", PASSWORD)


@pytest.fixture
def obama(db: None) -> User:
    """A user with Obama's face, all but the picture "obama2"."""
    user = User.objects.create_user("obama", "obama@example.com", PASSWORD)
    enrol_silently(user, encodings("obama", "obama3", "obama up"))
    return user


@pytest.fixture
def send(client: Client) -> Callable[..., tuple[int, dict[str, Any]]]:
    """Post a form with these pictures, as a page's script does: status and JSON."""

    def post(path: str, *photos: str, **data: Any) -> tuple[int, dict[str, Any]]:
        data["snapshot"] = [SimpleUploadedFile("f.jpg", picture(each)) for each in photos]
        response = client.post(path, data, headers={"accept": "application/json"})
        return response.status_code, response.json()

    return post


def face(user: User) -> Any:
    """What the database has of the user's face."""
    return faces.of(User.objects.get(pk=user.pk))
