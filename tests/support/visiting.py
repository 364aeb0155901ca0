"""Who visits a site that another process serves: keeps cookies, sends forms, answers challenges."""

from __future__ import annotations

import http.client
import json
import re
import time
from collections.abc import Sequence
from http.cookies import SimpleCookie
from itertools import count
from typing import Any

import pytest
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart

from tests.support.heads import turning

# Of all who visit: what was seen once is never taken again.
films = count()


class File:
    """As much of a file as a form needs to be written."""

    name, content_type = "a.jpg", "image/jpeg"

    def __init__(self, data: bytes) -> None:
        self._data = data

    def read(self) -> bytes:
        return self._data


class Browser:
    """Says that it came by HTTPS, as the proxy in front would, where `host` is that of a site."""

    def __init__(self, port: int, host: str = "") -> None:
        self.port = port
        self.secure = bool(host)
        self.host = host or f"127.0.0.1:{port}"
        self.cookies: dict[str, str] = {}
        self.headers: Any = {}

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, str]:
        """The status and the text of the answer; `headers` has its headers after it."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        scheme = "https" if self.secure else "http"
        sent = {
            "Host": self.host,
            "Referer": f"{scheme}://{self.host}{path}",
            "Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items()),
            **({"X-Forwarded-Proto": "https"} if self.secure else {}),
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }
        connection.request(method, path, body, sent)
        response = connection.getresponse()
        self.headers = response.headers
        for line in response.headers.get_all("Set-Cookie") or []:
            for name, morsel in SimpleCookie(line).items():
                # What only deletes a cookie need not be secure.
                assert morsel["secure"] or not morsel.value or not self.secure, name
                self.cookies[name] = morsel.value
        text = response.read().decode()
        connection.close()
        return response.status, text

    def send(
        self,
        path: str,
        snapshots: Sequence[bytes] = (),
        frames: Sequence[bytes] = (),
        accept: str = "text/html",
        **fields: str,
    ) -> tuple[int, str]:
        """Post a form, with pictures."""
        fields = {"csrfmiddlewaretoken": self.cookies["csrftoken"], **fields}
        files = {"snapshot": [*map(File, snapshots)], "frame": [*map(File, frames)]}
        body = encode_multipart(BOUNDARY, {**fields, **files})
        return self.ask("POST", path, body, Content_Type=MULTIPART_CONTENT, Accept=accept)

    def post(
        self,
        path: str,
        snapshots: Sequence[bytes] = (),
        frames: Sequence[bytes] = (),
        **fields: str,
    ) -> tuple[int, Any]:
        """`send`, for an answer as JSON."""
        status, text = self.send(path, snapshots, frames, "application/json", **fields)
        return status, json.loads(text)

    def turn(self, name: str) -> tuple[str, list[bytes]]:
        """A challenge, and the frames of somebody who answers it, as no two films are the same."""
        _, answer = self.post("/face/challenge/")
        return answer["challenge"], turning(name, *answer["turns"], seed=next(films))

    def log_in(self, name: str, path: str = "/face/login/", **fields: Any) -> tuple[int, Any]:
        """By the face of that person."""
        challenge, frames = self.turn(name)
        return self.post(path, frames, challenge=challenge, **fields)

    def token(self, path: str) -> str:
        """Of the form on that page, which sends the cookie that goes with it."""
        _, page = self.ask("GET", path)
        found = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page)
        assert found, page
        return found[1]

    def wait(self) -> Browser:
        """Until the server answers."""
        for _ in range(600):
            try:
                self.ask("GET", "/")
            except OSError:
                time.sleep(0.1)
            else:
                return self
        pytest.fail("The server does not answer.")
