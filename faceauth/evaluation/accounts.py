"""Accounts on a throw-away site."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model

from faceauth import enrolment
from faceauth.vision.encoding import Encoding


def create(name: str, template: Encoding | None, password: str | None = None) -> str:
    """Create an account, and return what it logs in with.

    Args:
        name: Of the person; other characters than letters and digits are left out.
        template: The person's face, float32 (n, d), or None.
        password: The password, or None.
    """
    model: Any = get_user_model()
    username = login_name(name)
    user = model(**{model.USERNAME_FIELD: username})
    setattr(user, model.get_email_field_name(), address(username))
    user.set_password(password)
    user.save()
    if template is not None:
        enrolment.enrol(user, template)
    return username


def login_name(name: str) -> str:
    """Return what an account of that name logs in with: the name, or an email address."""
    model: Any = get_user_model()
    plain = "".join(each for each in name if each.isalnum())[:60].lower()
    return address(plain) if model.get_email_field_name() == model.USERNAME_FIELD else plain


def address(username: str) -> str:
    """Return the email address of an account."""
    return username if "@" in username else f"{username}@example.com"
