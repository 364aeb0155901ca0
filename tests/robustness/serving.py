"""A server of several processes on the tests' database, and who visits it."""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any, NamedTuple

from django.db import connection
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart

from tests.robustness.stack import SECRET
from tests.support.ports import free_port
from tests.support.visiting import File

ROOT = Path(__file__).parents[2]


class Site:
    """gunicorn with `tests.robustness.served`; leaving the context ends it.

    first_wait: how many seconds the first wait after too many failures takes.
    """

    def __init__(
        self, folder: Path, url: str, *, processes: int = 1, first_wait: float = 30
    ) -> None:
        self.notes = folder / "notes"
        self.processes = processes
        self.workers: set[str] = set()  # their process ids
        self.port = free_port()
        self._log = folder / "log"
        self._variables = {
            "DATABASE_URL": url,
            "DJANGO_SETTINGS_MODULE": "tests.projects.site.settings",
            "NOTES": str(self.notes),
            "FIRST_WAIT": str(first_wait),
        }

    def __enter__(self) -> Site:
        command = [sys.executable, "-m", "gunicorn", "tests.robustness.served"]
        command += [f"--bind=127.0.0.1:{self.port}", "--threads=4", f"--workers={self.processes}"]
        command += ["--preload"]  # the networks are loaded once
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                command, cwd=ROOT, env={**os.environ, **self._variables}, stderr=log, stdout=log
            )
        self._wait()
        return self

    def __exit__(self, *exception: object) -> None:
        self.process.terminate()
        self.process.wait(timeout=30)

    def reached(self) -> Iterator[tuple[float, str]]:
        """When a guess was compared with somebody (as by `time.monotonic`), and whose it was."""
        for line in self.notes.read_text().splitlines():
            when, client = line.split()
            yield float(when), client

    def _wait(self) -> None:
        """Until every process answers."""
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and len(self.workers) < self.processes:
            try:
                self.workers.add(Visitor(self).get("/face/preview/").headers["X-Process"])
            except OSError:
                time.sleep(0.1)
        if len(self.workers) == self.processes:
            return
        raise TimeoutError(self._log.read_text()[-2000:])


class Heard(NamedTuple):
    """An answer."""

    status: int
    headers: Any
    text: str

    @property
    def json(self) -> Any:
        return json.loads(self.text)


class Visitor:
    """Keeps cookies, and comes from an address behind the site's proxy."""

    def __init__(self, site: Site, client: str = "", address: str = "10.0.0.1") -> None:
        self.port = site.port
        self.headers = {
            "Host": "testserver",
            "Accept": "application/json",
            "X-Client": client,
            "X-Forwarded-For": address,
        }
        self.cookies = {"csrftoken": SECRET}

    def get(self, path: str) -> Heard:
        return self._ask("GET", path)

    def post(self, path: str, snapshots: Sequence[bytes] = (), **fields: str) -> Heard:
        """Send a form, with pictures."""
        files = [File(data) for data in snapshots]
        body = encode_multipart(BOUNDARY, {**fields, "snapshot": files})
        return self._ask("POST", path, body, {"Content-Type": MULTIPART_CONTENT})

    def _ask(
        self, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None
    ) -> Heard:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        cookies = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        token = {"X-CSRFToken": self.cookies["csrftoken"], "Cookie": cookies}
        sent = {**self.headers, **token, **(headers or {})}
        try:
            connection.request(method, path, body, sent)
            response = connection.getresponse()
            for line in response.headers.get_all("Set-Cookie") or []:
                for name, morsel in SimpleCookie(line).items():
                    self.cookies[name] = morsel.value
            return Heard(response.status, response.headers, response.read().decode())
        finally:
            connection.close()


def database_url() -> str:
    """Of the database that the test itself uses."""
    now = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{now['NAME']}"
    return f"postgres://{now['USER']}@{now['HOST']}:{now['PORT']}/{now['NAME']}"
