"""A browser without pages: visits a site that another process serves, with forms and pictures."""

from __future__ import annotations

import http.client
import json
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from http.cookies import SimpleCookie
from itertools import count, islice
from typing import Any, NamedTuple

from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart

from faceauth.evaluation.pad.talk import RealClock, Reply, talk
from tests.support.faces import Faces
from tests.support.person import Person

# Of each who visits: nobody moves twice alike, nor as somebody did before a webcam, whose seeds are
# small ones.
seeds: defaultdict[str, Iterator[int]] = defaultdict(lambda: count(100))
CHALLENGES, TRIES = 3, 5


class File:
    """As much of a file as a form needs to be written."""

    name, content_type = "a.jpg", "image/jpeg"

    def __init__(self, data: bytes) -> None:
        self._data = data

    def read(self) -> bytes:
        return self._data


class Answer(NamedTuple):
    """A server's answer to a request."""

    status: int
    headers: Any
    text: str

    @property
    def json(self) -> Any:
        return json.loads(self.text)


class Browser:
    """Visits a site on this machine and keeps its cookies.

    Args:
        port: Where the site listens.
        host: The site's name; it is then visited by HTTPS, as the proxy in front would say.
        headers: Sent with each request.
    """

    def __init__(self, port: int, host: str = "", headers: Mapping[str, str] | None = None) -> None:
        self.port = port
        self.secure = bool(host)
        self.host = host or f"127.0.0.1:{port}"
        self.cookies: dict[str, str] = {}
        self.headers: Any = {}
        # The prefix of faceauth's URLs.
        self.faces = "/face/"
        self._always = headers or {}

    def request(
        self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Send one request; the answer's cookies are kept."""
        scheme = "https" if self.secure else "http"
        sent = {
            "Host": self.host,
            "Referer": f"{scheme}://{self.host}{path}",
            "Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items()),
            **({"X-Forwarded-Proto": "https"} if self.secure else {}),
            **self._always,
            **(headers or {}),
        }
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)) as connection:
            connection.request(method, path, body, sent)
            response = connection.getresponse()
            for line in response.headers.get_all("Set-Cookie") or []:
                for name, morsel in SimpleCookie(line).items():
                    # A cookie that is only deleted need not be secure.
                    assert morsel["secure"] or not morsel.value or not self.secure, name
                    self.cookies[name] = morsel.value
            return Answer(response.status, response.headers, response.read().decode())

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, str]:
        """Return the answer's status and text; `self.headers` are then its headers."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        answer = self.request(method, path, body, sent)
        self.headers = answer.headers
        return answer.status, answer.text

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

    def converse(self, name: str, purpose: str = "login", username: str = "") -> str:
        """Pass a challenge as that person, and return its id."""

        def post(fields: Any, frames: Any) -> Reply:
            return Reply(*self.post(f"{self.faces}frames/", frames=frames, **fields))

        photographs = [each for each in (name, f"{name}2", f"{name}3") if each in Faces()]
        reasons = []
        # A warped photograph fails now and then, and so does everybody on a busy machine: the page
        # opens another challenge twice.
        for seed in islice(seeds[name], CHALLENGES):
            # Each time another photograph, or the site would see a film of an earlier login.
            someone = Person(photographs[seed % len(photographs)], seed=seed).frame_for
            found = talk(post, someone, RealClock(), purpose=purpose, username=username)
            if found.passed:
                return found.challenge
            reasons.append(found.reason)
        raise AssertionError(reasons)

    def log_in(self, name: str, path: str = "", **fields: Any) -> tuple[int, Any]:
        """By the face of that person, trying again while the movement is not believed."""
        return self.prove(name, "login", path or f"{self.faces}login/", **fields)

    def prove(
        self, name: str, purpose: str, path: str, snapshots: Sequence[bytes] = (), **fields: Any
    ) -> tuple[int, Any]:
        """Send a form with a challenge that this person has passed, trying again as `log_in`."""
        for _try in range(TRIES):
            challenge = self.converse(name, purpose, fields.get("username", ""))
            status, answer = self.post(path, snapshots, challenge=challenge, **fields)
            # Whether it is a film of an earlier login is known only when the account is.
            if answer.get("error", {}).get("code") != "challenge_failed":
                break
        return status, answer

    def token(self, path: str) -> str:
        """Return the token of the form on that page, and keep the cookie that goes with it."""
        _, page = self.ask("GET", path)
        found = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page)
        assert found, page
        return found[1]
