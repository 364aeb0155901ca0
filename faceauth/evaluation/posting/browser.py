"""The requests of a script by HTTP: it keeps cookies as a browser does, and posts what it likes."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from http.cookiejar import CookieJar
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urljoin
from urllib.request import HTTPCookieProcessor, Request, build_opener

from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart

from faceauth.evaluation.pad.talk import Reply
from faceauth.evaluation.pad.visitor import Upload, payload

TIMEOUT = 120


class Browser:
    """One visitor of a running site.

    Args:
        url: The address of the login page.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self._opener = build_opener(HTTPCookieProcessor(CookieJar()))
        self._token = ""

    def frames(self, fields: Mapping[str, str], frames: Sequence[bytes]) -> Reply:
        """Send frames to the challenge."""
        files = [Upload(each) for each in frames]
        return self._post(urljoin(self.url, "../frames/"), {**fields, "frame": files})

    def log_in(self, fields: Mapping[str, str], pictures: Sequence[bytes] = ()) -> Reply:
        """Send the form of the login."""
        files = {"snapshot": [Upload(each) for each in pictures]} if pictures else {}
        return self._post(self.url, {**fields, **files})

    def _post(self, url: str, fields: Mapping[str, Any]) -> Reply:
        form: dict[str, Any] = {"csrfmiddlewaretoken": self._csrf_token(), **fields}
        headers = {
            "Accept": "application/json",
            "Accept-Language": "en",
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

    def _send(self, request: Request) -> Reply:
        try:
            response = self._opener.open(request, timeout=TIMEOUT)
        except HTTPError as error:
            response = error
        with response:
            text = response.read().decode(errors="replace")
        headers = [(name.lower(), value) for name, value in response.headers.items()]
        return Reply(response.status or 0, payload(text), headers, text)
