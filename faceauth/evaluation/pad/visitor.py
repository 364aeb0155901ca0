"""A browser before the site of this process."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from io import BytesIO
from typing import Any

from django.test import Client
from django.urls import reverse

from .talk import Reply

# The end of the name of a trusted device's cookie.
DEVICE_COOKIE = "faceauth_device"


class Upload(BytesIO):
    """A picture as a file of a form."""

    name, content_type = "frame.jpg", "image/jpeg"


class Visitor:
    """A browser: it keeps its cookies.

    Args:
        cookies: Names and values of cookies that it brings along.
    """

    def __init__(self, cookies: Mapping[str, str] | None = None) -> None:
        self._client = Client(headers={"accept": "application/json"})
        for name, value in (cookies or {}).items():
            self._client.cookies[name] = value

    @property
    def device_cookies(self) -> dict[str, str]:
        """The cookies of a trusted device."""
        cookies = self._client.cookies
        return {name: cookies[name].value for name in cookies if name.endswith(DEVICE_COOKIE)}

    def frames(self, fields: Mapping[str, str], frames: Sequence[bytes]) -> Reply:
        """Send frames to the challenge."""
        return self._post("frames", {**fields, "frame": [Upload(each) for each in frames]})

    def log_in(self, fields: Mapping[str, str], pictures: Sequence[bytes] = ()) -> Reply:
        """Send the form of the login."""
        files = {"snapshot": [Upload(each) for each in pictures]} if pictures else {}
        return self._post("login", {**fields, **files})

    def _post(self, name: str, data: Mapping[str, Any]) -> Reply:
        response = self._client.post(reverse(f"faceauth:{name}"), data)
        text = response.content.decode(errors="replace")
        headers = [(key.lower(), value) for key, value in response.headers.items()]
        headers += [("set-cookie", each.OutputString()) for each in response.cookies.values()]
        return Reply(response.status_code, payload(text), headers, text)


def payload(text: str) -> Mapping[str, Any]:
    """Return the JSON of an answer; empty if there is none."""
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
