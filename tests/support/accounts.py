"""Accounts of whatever user model a test project has, and the faces in them."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model
from django.test import Client

from faceauth import faces

PASSWORD = "a long password"


def users() -> Any:
    """Return the manager of the project's user model."""
    return get_user_model()._default_manager


def address(name: str) -> str:
    """Return that user's email address."""
    return f"{name}@example.com"


def username(name: str) -> str:
    """Return what that user logs in with: "ada", or an address where there are no other names."""
    return address(name) if get_user_model().USERNAME_FIELD == "email" else name


def account(name: str, password: str | None = PASSWORD, **fields: Any) -> Any:
    """Create a user without a face."""
    if get_user_model().USERNAME_FIELD == "email":
        return users().create_user(address(name), password, **fields)
    return users().create_user(name, address(name), password, **fields)


def face(user: Any) -> Any:
    """Return the face template of the user as the database has it."""
    return faces.of(users().get(pk=user.pk))


def templates() -> Any:
    """Return the rows of the database that hold a face."""
    return faces.model()._default_manager.filter(face_encodings__isnull=False)


def log_in_by_face(client: Client, user: Any) -> None:
    """Log the user in as if their face had just been recognised, and leave no trace of it."""
    before, used = [*user.face_events.values_list("pk", flat=True)], face(user).face_last_used_at
    client.force_login(users().get(pk=user.pk), backend="faceauth.backends.FaceBackend")
    user.face_events.exclude(pk__in=before).delete()
    faces.row(user).update(face_last_used_at=used)


def logged_in(client: Client) -> str | None:
    """Return the short name of the user who is logged in, "ada"."""
    key = client.session.get("_auth_user_id")
    return users().get(pk=key).get_username().partition("@")[0] if key else None
