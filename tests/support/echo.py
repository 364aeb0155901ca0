"""A site that says which request it got, for tests of the server in front of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from hashlib import sha256
from typing import Any

BIG = 8_000_000  # bytes: more than any buffer takes


def application(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
    """Return the path and the hash of the body, or very much at ``/big``."""
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    path = environ["PATH_INFO"]
    text = bytes(BIG) if path == "/big" else f"{path} {sha256(body).hexdigest()}".encode()
    start("200 OK", [("Content-Length", str(len(text)))])
    return [text]
