"""The site as a WSGI server calls it, in this process: bytes in, status and bytes out."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from io import BytesIO
from typing import Any, NamedTuple

from django.core.signals import got_request_exception

from config.wsgi import application

# A form's token and cookie are one secret said twice; a server that knows neither takes any.
SECRET = "s" * 32


class Request(NamedTuple):
    """What a client sends. Headers are named as WSGI does: ``HTTP_ACCEPT``."""

    path: str
    body: bytes = b""
    content_type: str = ""
    headers: Mapping[str, str] = {}
    cookies: Mapping[str, str] = {}
    method: str = "POST"

    def environ(self) -> dict[str, Any]:
        """The same for a WSGI application. A ``CONTENT_LENGTH`` among the headers may lie."""
        path, _, query = self.path.partition("?")
        return {
            "REQUEST_METHOD": self.method,
            "SCRIPT_NAME": "",
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "SERVER_NAME": "testserver",
            "SERVER_PORT": "80",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": "127.0.0.1",
            "CONTENT_TYPE": self.content_type,
            "CONTENT_LENGTH": str(len(self.body)),
            "HTTP_HOST": "testserver",
            "HTTP_ACCEPT": "application/json",
            "HTTP_X_CSRFTOKEN": SECRET,
            "HTTP_COOKIE": "; ".join(f"{name}={value}" for name, value in self.cookies.items()),
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.input": BytesIO(self.body),
            "wsgi.errors": BytesIO(),
            "wsgi.multithread": True,
            "wsgi.multiprocess": True,
            "wsgi.run_once": False,
            **self.headers,
        }

    def wire(self) -> bytes:
        """The same as a browser would write it, if it wrote such things."""
        environ = {**self.environ(), **self.headers}
        query = f"?{environ['QUERY_STRING']}" if environ["QUERY_STRING"] else ""
        lines = [f"{self.method} {environ['PATH_INFO']}{query} HTTP/1.1", "Connection: close"]
        for name, value in environ.items():
            if name.startswith(("HTTP_", "CONTENT_")) and name != "HTTP_CONNECTION":
                lines.append(f"{name.removeprefix('HTTP_').replace('_', '-')}: {value}")
        return "\r\n".join([*lines, "", ""]).encode("latin-1") + self.body


class Answer(NamedTuple):
    """What comes back. raised: what a view or a middleware let through, if anything."""

    status: int
    headers: dict[str, str]
    body: bytes
    raised: BaseException | None


class Stack:
    """The site, middleware and all. Its connections to the database close as in a server."""

    def __init__(self) -> None:
        self._raised: list[BaseException] = []
        got_request_exception.connect(self._note)

    def ask(self, request: Request) -> Answer:
        """The answer; what the application itself lets through becomes the server's 500."""
        self._raised.clear()
        started: list[Any] = []
        try:
            response: Any = application(request.environ(), lambda *given: started.append(given))
            body = b"".join(response)
            response.close()
        except Exception as error:
            return Answer(500, {}, b"", error)
        ((line, headers),) = started
        raised = self._raised[-1] if self._raised else None
        return Answer(int(line.split()[0]), dict(headers), body, raised)

    def _note(self, **kwargs: Any) -> None:
        error = sys.exc_info()[1]
        if error is not None:
            self._raised.append(error)
