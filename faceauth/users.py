"""What users are called. Models need have no names but the one to log in by, which may be of any
type.
"""

from __future__ import annotations

from typing import Any


def username(user: Any) -> str:
    """What the user logs in by."""
    return str(user.get_username())


def short_name(user: Any) -> str:
    """What the user is greeted by."""
    given = user.get_short_name() if hasattr(user, "get_short_name") else ""
    return given or username(user)
