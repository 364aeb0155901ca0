"""The requests of a script: it keeps cookies as a browser does, and posts what it likes."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from http.cookiejar import Cookie, CookieJar
from time import perf_counter
from typing import Any, NamedTuple
from urllib.error import HTTPError
from urllib.parse import urljoin
from urllib.request import HTTPCookieProcessor, Request, build_opener

from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart

from .films import Film

TIMEOUT = 120

# How many challenges are asked for until one fits the film.
DRAWS = 200

# The end of the name of a trusted device's cookie.
DEVICE_COOKIE = "faceauth_device"


class Answer(NamedTuple):
    """The answer of the site.

    Attributes:
        status: The HTTP status.
        headers: Names, in lower case, and values.
        text: The body.
        seconds: How long it took.
    """

    status: int
    headers: list[tuple[str, str]]
    text: str
    seconds: float

    @property
    def payload(self) -> dict[str, Any]:
        """The JSON of the body; empty if there is none."""
        try:
            found = json.loads(self.text)
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}

    @property
    def user(self) -> str:
        """The name of the user who is logged in now, or ""."""
        return str((self.payload.get("user") or {}).get("username", ""))

    @property
    def reason(self) -> str:
        """Why nobody is logged in."""
        if self.payload.get("code_required"):
            return "code_required"
        error = self.payload.get("error")
        return str(error["code"]) if isinstance(error, dict) else f"status {self.status}"


class Picture:
    """As much of a file as a form needs."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        kind = "png" if data.startswith(b"\x89PNG") else "jpeg"
        self.name, self.content_type = f"frame.{kind}", f"image/{kind}"

    def read(self) -> bytes:
        """Return the content."""
        return self._data


class Browser:
    """One visitor of a site.

    Args:
        url: The address of the login page.
        cookies: Cookies that the visitor brings along.
    """

    def __init__(self, url: str, cookies: Iterable[Cookie] = ()) -> None:
        self.url = url
        self.jar = CookieJar()
        for each in cookies:
            self.jar.set_cookie(each)
        self._opener = build_opener(HTTPCookieProcessor(self.jar))
        self._token = ""

    @property
    def device_cookies(self) -> list[Cookie]:
        """The cookies of a trusted device."""
        return [each for each in self.jar if each.name.endswith(DEVICE_COOKIE)]

    def challenge(self, turns: Sequence[str]) -> dict[str, Any]:
        """Ask for challenges until one has these turns, and return it.

        Raises:
            OSError: None did, or the site issues none.
        """
        for _draw in range(DRAWS):
            answer = self.post(urljoin(self.url, "../challenge/"), {})
            found = answer.payload
            if "challenge" not in found:
                raise OSError(f"The site issues no challenge: {answer.reason}")
            if found["turns"] == list(turns):
                return found
        raise OSError(f"No challenge with the turns {', '.join(turns)} in {DRAWS}")

    def show(self, film: Film, username: str, **fields: str) -> Answer:
        """Answer a challenge with a film.

        Args:
            film: The film.
            username: The name to log in with.
            **fields: More fields of the form.
        """
        issued = self.challenge(film.turns)
        form = {"username": username, "challenge": issued["challenge"], **fields}
        return self.post(self.url, form, film.frames)

    def post(self, url: str, fields: dict[str, str], pictures: Sequence[bytes] = ()) -> Answer:
        """Post a form, and ask for JSON."""
        form: dict[str, Any] = {"csrfmiddlewaretoken": self._csrf_token(), **fields}
        if pictures:
            form["snapshot"] = [Picture(each) for each in pictures]
        headers = {
            "Accept": "application/json",
            "Content-Type": MULTIPART_CONTENT,
            "Referer": self.url,
        }
        return self._send(Request(url, encode_multipart(BOUNDARY, form), headers))

    def _csrf_token(self) -> str:
        if not self._token:
            page = self._send(Request(self.url)).text
            found = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page)
            if not found:
                raise OSError(f"{self.url} is no page to log in on")
            self._token = found[1]
        return self._token

    def _send(self, request: Request) -> Answer:
        start = perf_counter()
        try:
            response = self._opener.open(request, timeout=TIMEOUT)
        except HTTPError as error:
            response = error
        with response:
            text = response.read().decode(errors="replace")
        headers = [(name.lower(), value) for name, value in response.headers.items()]
        return Answer(response.status or 0, headers, text, perf_counter() - start)
