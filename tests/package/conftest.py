"""The package as others get it: built, and installed in environments of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]

# Of these tests, or of the environment they run in: nothing that is installed elsewhere has them.
OURS = ("DJANGO_", "DATABASE_URL", "PYTHON", "VIRTUAL_ENV", "FACEAUTH_")


class Environment:
    """A virtual environment of Python's in a folder, with nothing in it but pip."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        self.variables = {
            **{name: each for name, each in os.environ.items() if not name.startswith(OURS)},
            "PATH": f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}",
            "VIRTUAL_ENV": str(folder),
        }

    def pip(self, *arguments: str, folder: Path | None = None) -> None:
        """Install or uninstall as ``pip`` would; by pip itself where uv knows no package index."""
        python = str(self.folder / "bin/python")
        try:
            self.run(
                [*_uv(), "pip", arguments[0], "--quiet", "--python", python, *arguments[1:]], folder
            )
        except AssertionError:
            self.run([python, "-m", "pip", *arguments], folder)

    def run(
        self, command: str | Sequence[str], folder: Path | None = None, **variables: str
    ) -> subprocess.CompletedProcess[str]:
        """Run a command, or what is typed into a shell; it has to succeed."""
        done = subprocess.run(
            command,
            shell=isinstance(command, str),
            cwd=folder,
            env={**self.variables, **variables},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
        return done


def _uv() -> Sequence[str]:
    return [sys.executable, "-m", "uv"]


def build(folder: Path, umask: int = -1, **variables: str) -> None:
    """Build the wheel and the source package, as ``make dist`` does."""
    command = [sys.executable, str(ROOT / "deploy/build.py"), str(folder)]
    subprocess.run(command, check=True, umask=umask, env={**os.environ, **variables})


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built wheel, beside the source package that it is made of."""
    folder = tmp_path_factory.mktemp("package")
    build(folder)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="session")
def environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """An environment in which the wheel is installed, and nothing but what it asks for."""
    made = Environment(tmp_path_factory.mktemp("environment") / "venv")
    made.pip("install", str(wheel))
    return made
