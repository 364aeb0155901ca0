"""Sites that other processes serve."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest
from django.db import connection

from tests.support.ports import free_port
from tests.support.visiting import Browser

ROOT = Path(__file__).parents[2]
START_SECONDS = 60


class Server:
    """A command that serves a site; leaving the context stops it.

    Args:
        command: The command's arguments, in which "{port}" stands for the server's port.
        variables: Its whole environment.
        folder: Where it runs.
        executable: The program to run, where `variables` have another PATH than the tests.
        ready: Return True once the server answers; by default it has to answer any request.
    """

    def __init__(
        self,
        command: Sequence[str],
        variables: Mapping[str, str],
        *,
        folder: Path = ROOT,
        executable: Path | None = None,
        ready: Callable[[], bool] | None = None,
    ) -> None:
        self.port = free_port()
        self._ready = ready or self._answers
        self._log = tempfile.TemporaryFile()  # noqa: SIM115, closed by stop()
        self.process = subprocess.Popen(
            [each.replace("{port}", str(self.port)) for each in command],
            cwd=folder,
            env=dict(variables),
            executable=executable,
            stdout=self._log,
            stderr=self._log,
        )

    def __enter__(self) -> Server:
        return self.wait()

    def __exit__(self, *exception: object) -> None:
        self.stop()

    def wait(self) -> Server:
        """Wait until the server is ready; fail the test with the server's log if it never is."""
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                if self._ready():
                    return self
            except OSError:
                time.sleep(0.1)
        self._log.seek(0)
        log = self._log.read().decode(errors="replace")
        self.stop()
        pytest.fail(f"The server does not answer.\n{log[-2000:]}")

    def stop(self) -> int:
        """Stop the server and return its exit status."""
        self.process.terminate()
        self._log.close()
        return self.process.wait(timeout=60)

    def visit(self, host: str = "", headers: Mapping[str, str] | None = None) -> Browser:
        """Return a new browser for the site."""
        return Browser(self.port, host, headers)

    def _answers(self) -> bool:
        self.visit().request("GET", "/")
        return True


def gunicorn(application: str, *options: str) -> list[str]:
    """Return the command that serves this WSGI application."""
    return [sys.executable, "-m", "gunicorn", application, "--bind=127.0.0.1:{port}", *options]


def conversing(module: str) -> subprocess.Popen[str]:
    """Start a module that takes a line for each request, and prints lines as answers."""
    return subprocess.Popen(
        [sys.executable, "-m", module],
        cwd=ROOT,
        env={**os.environ, "DATABASE_URL": database_url()},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        bufsize=1,
    )


def database_url() -> str:
    """Return the URL of the database that the test itself uses, for another process."""
    now = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{now['NAME']}"
    return f"postgres://{now['USER']}@{now['HOST']}:{now['PORT']}/{now['NAME']}"
