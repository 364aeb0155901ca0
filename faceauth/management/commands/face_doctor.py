from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from faceauth import diagnosis
from faceauth.diagnosis import Finding, State

# How many characters the names of parts take.
WIDTH = max(map(len, [*diagnosis.PARTS, "migrations"])) + 2


class Command(BaseCommand):
    help = (
        "Says what works here and what does not: networks and what they run on, a timed test of "
        "them, settings, keys, the database and its faces, the cache, the camera's headers. Ends "
        "with status 1 where something is broken."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "picture", type=Path, nargs="?", help="a photo of a face, to be looked at as well"
        )
        parser.add_argument("--json", action="store_true", help="the same for scripts")
        parser.add_argument(
            "--fail-level",
            choices=("WARNING", "ERROR"),
            default="ERROR",
            help="what ends with status 1: only what is broken (the default), or warnings too",
        )

    def handle(self, *, picture: Path | None, **options: Any) -> None:
        try:
            data = picture.read_bytes() if picture else None
        except OSError as error:
            raise CommandError(str(error)) from error
        found = []
        for each in diagnosis.findings(data):
            found.append(each)
            if not options["json"]:
                self._print(each)
        failing = {State.BROKEN}
        if options["fail_level"] == "WARNING":
            failing.add(State.WARNING)
        well = not failing.intersection(each.state for each in found)
        if options["json"]:
            told = {"ok": well, "findings": [each._asdict() for each in found]}
            self.stdout.write(json.dumps(told, indent=2))
        if not well:
            sys.exit(1)

    def _print(self, found: Finding) -> None:
        styles: dict[State, Any] = {
            State.WARNING: self.style.WARNING,
            State.BROKEN: self.style.ERROR,
        }
        state = found.state.value if found.state is not State.FINE else ""
        line = f"{found.part:{WIDTH}}{state and f'{state}: '}{found.text}"
        self.stdout.write(styles.get(found.state, str)(line))
