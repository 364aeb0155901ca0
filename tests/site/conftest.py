from __future__ import annotations

from django.test import Client

from accounts.models import User
from tests.support.accounts import PASSWORD

JSON = {"Accept": "application/json"}

__all__ = ["JSON", "PASSWORD", "log_out", "username_of"]


def log_out(client: Client) -> None:
    """As on the page: what the browser keeps besides the session stays."""
    client.post("/accounts/logout/")


def username_of(client: Client) -> str | None:
    """Who is logged in."""
    key = client.session.get("_auth_user_id")
    return User.objects.get(pk=key).username if key else None
