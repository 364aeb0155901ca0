"""Command ``face_setup``: print or write the lines that a project lacks for the face login."""

from __future__ import annotations

import difflib
import os
import subprocess
import sys
from pathlib import Path
from textwrap import indent
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from faceauth.setup import Change, Plan, plan

NEXT = ("python manage.py migrate", "python manage.py face_doctor --project")


class Command(BaseCommand):
    """Print or write what `faceauth.setup.plan` returns."""

    help = (
        "Read this project and print the lines that it lacks for the face login. With --write, "
        "show the changes and write them to the ends of your settings and URLs, or to new files. "
        "If the project does not start afterwards, the changes are taken back."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--write", action="store_true", help="write the lines to your files")
        parser.add_argument(
            "--no-input", action="store_true", help="write without asking (with --write)"
        )

    def handle(self, *, write: bool, no_input: bool, **options: Any) -> None:
        found = plan()
        # Half of the lines would not do: the URLs need the app.
        if not write or not found.changes or not all(each.path for each in found.changes):
            self._print(found)
            return
        files: dict[Path, bytes] = {}
        for each in found.changes:
            assert each.path
            files[each.path] = _after(each, files.get(each.path, _read(each.path)))
        for path, text in files.items():
            self._print_difference(path, text)
        if not no_input and input("Write these changes? [y/N] ").lower() not in ("y", "yes"):
            self.stdout.write("Nothing was changed.")
            return
        self._write(files)

    def _write(self, files: dict[Path, bytes]) -> None:
        before = {path: _read(path) for path in files}
        for path, text in files.items():
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(text)
        # In a new process, which reads the changed files: are they as they should be?
        done = subprocess.run(
            [sys.executable, sys.argv[0], "face_setup"], capture_output=True, text=True, check=False
        )
        if done.returncode:
            for path, old in before.items():
                if old is None:
                    path.unlink()
                else:
                    path.write_bytes(old)
            raise CommandError(
                "The project does not start with these lines, so they were taken back. Add them "
                f"by hand.\n\n{done.stderr.strip()}"
            )
        for path in files:
            self.stdout.write(f"Changed {_name(path)}.")
        self.stdout.write(done.stdout.rstrip())
        self._print_next()

    def _print(self, found: Plan) -> None:
        self.stdout.write(found.about)
        for each in found.changes:
            self.stdout.write(f"\n{_place(each)}:\n\n{indent(each.lines, '    ')}")
        for paragraph in found.by_hand:
            self.stdout.write(f"\n{paragraph}")
        if not found.changes and not found.by_hand:
            self.stdout.write(self.style.SUCCESS("Nothing is missing."))
        if found.changes:
            self._print_next()

    def _print_next(self) -> None:
        self.stdout.write("\nThen run:\n\n" + "\n".join(f"    {each}" for each in NEXT))

    def _print_difference(self, path: Path, text: bytes) -> None:
        old = path.read_text("utf-8").splitlines() if path.exists() else []
        new = text.decode("utf-8").splitlines()
        name = _name(path)
        for line in difflib.unified_diff(old, new, name if old else "/dev/null", name, lineterm=""):
            style = self.style.SUCCESS if line.startswith("+") else str
            self.stdout.write(style(line))


def _read(path: Path) -> bytes | None:
    """Return the content of the file, or None if it does not exist."""
    return path.read_bytes() if path.exists() else None


def _after(change: Change, before: bytes | None) -> bytes:
    """Return what the file contains with the change."""
    lines = change.lines.encode().splitlines()
    if before is None:
        return b"\n".join([*lines, b""])
    end = b"\r\n" if b"\r\n" in before else b"\n"
    return end.join([before.rstrip(), b"", b"# Face login (faceauth)", *lines, b""])


def _place(change: Change) -> str:
    if change.path is None:
        return f"In your {change.what} (this command did not find the place, so it writes nothing)"
    kind = "At the end of" if change.path.exists() else "In a new file,"
    return f"{kind} {_name(change.path)}"


def _name(path: Path) -> str:
    return os.path.relpath(path)
