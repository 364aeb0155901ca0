"""The names of users.

A user model needs no name but the one to log in with, which can be of any type.
"""

from __future__ import annotations

from typing import Any


def username(user: Any) -> str:
    """Return the name that the user logs in with."""
    return str(user.get_username())


def short_name(user: Any) -> str:
    """Return the name to greet the user by: their short name, or else their username."""
    given = user.get_short_name() if hasattr(user, "get_short_name") else ""
    return given or username(user)
