"""Sign up on the example site, as its pages do."""

from __future__ import annotations

from typing import Any

from django.test import Client

from tests.support import mail

SIGN_UP, CODE = "/accounts/signup/", "/accounts/signup/code/"


def sign_up(client: Client, name: str = "ada", **fields: Any) -> Any:
    """Sign up, enter the code from the mail, and return the last response."""
    begin(client, name, **fields)
    return client.post(CODE, {"code": mail.code()})


def begin(client: Client, name: str = "ada", **fields: Any) -> Any:
    """Send the first form only, and return the response."""
    data = {"username": name, "email": f"{name}@example.com", **fields}
    return client.post(SIGN_UP, data)
