"""A project of one of the shapes, in a folder: write it, change it, serve it, visit it."""

from __future__ import annotations

import hmac
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.package.conftest import OURS, ROOT
from tests.package.shape import COMMON, EMAIL, KEY, PASSWORD, Shape
from tests.support.servers import Server
from tests.support.visiting import Browser

CREATE = f"""
from django.contrib.auth import get_user_model

user = get_user_model().objects.create_superuser(email="{EMAIL}", password="{PASSWORD}", **%r)
"""
FIND = f"""
from django.contrib.auth import get_user_model

user = get_user_model().objects.get(email="{EMAIL}")
"""


class Project:
    """A project of that shape.

    Args:
        shape: What it is.
        folder: Where it is written.
        python: The Python that runs it.
        variables: Further variables of its environment.
    """

    def __init__(
        self,
        shape: Shape,
        folder: Path,
        python: Path = Path(sys.executable),
        variables: Mapping[str, str] | None = None,
    ) -> None:
        self.shape, self.folder, self.python = shape, folder, python
        self.server: Server | None = None
        ours = {name: each for name, each in os.environ.items() if not name.startswith(OURS)}
        # These tests run the faceauth beside them, whichever is installed.
        path = {} if python != Path(sys.executable) else {"PYTHONPATH": str(ROOT)}
        self.variables = {**ours, **path, **(variables or {})}
        folder.mkdir()
        self.run(*shape.start)
        for files in (COMMON if shape.common else {}, shape.files):
            for name, text in files.items():
                self._add(name, text)

    def _add(self, name: str, text: str) -> None:
        path = self.folder / name
        self._write(name, f"{path.read_text() if path.exists() else ''}{text}")

    def _write(self, name: str, text: str) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def run(self, *arguments: str, typed: str = "", fails: bool = False) -> str:
        """Run Python with these arguments, which succeeds or `fails`, and return what it prints."""
        done = subprocess.run(
            [str(self.python), *arguments],
            cwd=self.folder,
            env=self.variables,
            capture_output=True,
            text=True,
            input=typed,
            check=False,
        )
        assert bool(done.returncode) == fails, f"{arguments}\n{done.stdout}\n{done.stderr}"
        return done.stdout + done.stderr

    def manage(self, *arguments: str) -> str:
        return self.run("manage.py", *arguments)

    def create(self) -> None:
        """Make the tables, and one user."""
        apps = [each.parent.name for each in self.folder.glob("*/models.py")]
        if apps:
            self.manage("makemigrations", "-v0", *apps)
        self.manage("migrate", "-v0")
        self.manage("shell", "-c", CREATE % self.shape.user)

    def protect(self) -> None:
        """Give the user a second factor."""
        self.manage("shell", "-c", FIND + self.shape.protect)

    def setup(self, *options: str, **expected: Any) -> str:
        """Run `face_setup` as somebody does who has only installed the package."""
        return self.run("-m", "faceauth", "setup", *options, **expected)

    def add(self, files: Mapping[str, str]) -> None:
        """Add to the ends of modules, and write templates."""
        for name, text in files.items():
            (self._add if name.endswith(".py") else self._write)(name, text)

    def lines_since(self, before: Mapping[str, str]) -> int:
        """Return how many lines were added, without blank lines and comments."""
        added: Counter[str] = Counter()
        for name, text in self.files.items():
            added += Counter(text.splitlines()) - Counter(before.get(name, "").splitlines())
        return sum(count for line, count in added.items() if line.strip() and line[0] != "#")

    @property
    def files(self) -> dict[str, str]:
        """What people wrote, by path."""
        return {
            str(path.relative_to(self.folder)): path.read_text()
            for path in sorted(self.folder.rglob("*.*"))
            if path.suffix in (".html", ".py") and "migrations" not in path.parts
        }

    def restore(self, files: Mapping[str, str]) -> None:
        """Take out what was written since."""
        for name in self.files:
            if name in files:
                (self.folder / name).write_text(files[name])
            else:
                (self.folder / name).unlink()

    def serve(self) -> None:
        self.stop()
        command = [str(self.python), *self.shape.served.split()]
        self.server = Server(command, self.variables, folder=self.folder, executable=self.python)

    def stop(self) -> None:
        if self.server:
            self.server.stop()
            self.server = None

    @property
    def site(self) -> str:
        """The address of the site, which is served."""
        assert self.server
        return f"http://localhost:{self.server.wait().port}"

    def visit(self) -> Browser:
        assert self.server
        browser = self.server.wait().visit()
        browser.faces = self.shape.faces
        return browser

    def log_in(self, browser: Browser) -> None:
        """On the project's own page, with a password."""
        browser.token(self.shape.page)
        fields: Any = self.shape.fields
        browser.send(self.shape.page, **fields)

    def send_token(self, browser: Browser) -> None:
        fields: Any = {
            name: each.format(token=token()) for name, each in self.shape.token_fields.items()
        }
        browser.send(self.shape.token_page, **fields)


def token() -> str:
    """Return the token that an app shows now (RFC 6238)."""
    digest = hmac.digest(KEY, int(time.time() // 30).to_bytes(8), "sha1")
    start = digest[-1] & 15
    return f"{(int.from_bytes(digest[start : start + 4]) & 0x7FFFFFFF) % 10**6:06}"


def who(browser: Browser) -> str:
    """Return the email address of the user who is logged in, or "nobody"."""
    return browser.ask("GET", "/me/")[1]
