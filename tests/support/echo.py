"""A site that says which request it got, for tests of the server in front of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from functools import partial
from hashlib import sha256
from typing import Any

SIZES = {"/big": 8_000_000, "/page": 100_000}  # bytes: the first is more than any buffer takes
PART = 65536  # bytes: Django reads uploads in such parts
SLOW = 0.2  # seconds

# Django's requests are in circles, so they are kept until garbage is collected.
kept: list[dict[str, Any]] = []


def application(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
    """Return the path and the hash of the body, at ``/slow`` later; or as much as `SIZES` says."""
    kept.append(environ)
    read = environ["wsgi.input"].read
    body = b"".join(iter(partial(read, PART), b"")) if environ.get("CONTENT_LENGTH") else b""
    path = environ["PATH_INFO"]
    if path == "/slow":
        time.sleep(SLOW)
    text = f"{path} {sha256(body).hexdigest()}".encode()
    text = bytes(SIZES[path]) if path in SIZES else text
    start("200 OK", [("Content-Length", str(len(text)))])
    return [text]
