"""A server of several processes on the tests' database, and its visitors."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart

from tests.robustness.stack import SECRET
from tests.support.servers import Server, gunicorn
from tests.support.visiting import Answer, File


class Site(Server):
    """gunicorn with `tests.robustness.served`; leaving the context stops it.

    Args:
        folder: For the notes of its processes, the file that sets their clock, and a cache.
        url: Of its database.
        first_wait: How many seconds the first wait after too many failures takes.
        settings: Of `tests.projects.site`.
    """

    def __init__(
        self,
        folder: Path,
        url: str,
        *,
        processes: int = 1,
        first_wait: float = 30,
        settings: str = "settings",
    ) -> None:
        self.notes = folder / "notes"
        self.clock, self.cache = folder / "clock", folder / "cache"
        self.processes = processes
        self.workers: set[str] = set()  # their process ids
        options = ["--threads=4", f"--workers={processes}"]
        variables = {
            **os.environ,
            "DATABASE_URL": url,
            "DJANGO_SETTINGS_MODULE": f"tests.projects.site.{settings}",
            "NOTES": str(self.notes),
            "CACHE": str(self.cache),
            "CLOCK": str(self.clock),
            "FIRST_WAIT": str(first_wait),
        }
        # Preloaded, so that the networks are loaded once.
        command = gunicorn("tests.robustness.served", *options, "--preload")
        super().__init__(command, variables, ready=self._all_answer)

    def __enter__(self) -> Site:
        self.wait()
        return self

    def reached(self) -> Iterator[tuple[float, str]]:
        """Yield when a guess was compared with somebody (`time.monotonic`), and by which client."""
        for line in self.notes.read_text().splitlines():
            when, client = line.split()
            yield float(when), client

    def _all_answer(self) -> bool:
        self.workers.add(Visitor(self).get("/face/frames/").headers["X-Process"])
        return len(self.workers) == self.processes


class Visitor:
    """A client of the JSON API that comes from an address behind the site's proxy."""

    def __init__(self, site: Site, client: str = "", address: str = "10.0.0.1") -> None:
        headers = {
            "Host": "testserver",
            "Accept": "application/json",
            "X-Client": client,
            "X-Forwarded-For": address,
        }
        self._browser = site.visit(headers=headers)
        self.cookies = {"csrftoken": SECRET}

    @property
    def cookies(self) -> dict[str, str]:
        return self._browser.cookies

    @cookies.setter
    def cookies(self, cookies: dict[str, str]) -> None:
        self._browser.cookies = cookies

    def get(self, path: str) -> Answer:
        return self._browser.request("GET", path)

    def post(
        self,
        path: str,
        snapshots: Sequence[bytes] = (),
        frames: Sequence[bytes] = (),
        **fields: str,
    ) -> Answer:
        """Send a form, with pictures."""
        files = {"snapshot": [*map(File, snapshots)], "frame": [*map(File, frames)]}
        body = encode_multipart(BOUNDARY, {**fields, **files})
        headers = {"Content-Type": MULTIPART_CONTENT, "X-CSRFToken": self.cookies["csrftoken"]}
        return self._browser.request("POST", path, body, headers)
