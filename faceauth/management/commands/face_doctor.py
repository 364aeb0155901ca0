"""Command ``face_doctor``: report what works on this machine."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from faceauth.operations import doctor
from faceauth.operations.doctor import Finding, State

# The width of the column of parts: "migrations" is the longest.
WIDTH = 12


class Command(BaseCommand):
    """Print the findings of `operations.doctor`."""

    help = (
        "Report what works on this machine and what does not: the networks and the processor or "
        "GPU that they run on, a timed test of them, the settings, the keys, the database and its "
        "faces, the cache, and the headers that let browsers use the camera. Exit with status 1 "
        "if something is broken."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "picture", type=Path, nargs="?", help="a photo of a face, to process as a login would"
        )
        parser.add_argument(
            "--project",
            action="store_true",
            help="also say what your project lacks, such as a link on its login page",
        )
        parser.add_argument("--json", action="store_true", help="print the findings as JSON")
        parser.add_argument(
            "--fail-level",
            choices=("WARNING", "ERROR"),
            default="ERROR",
            help=(
                "ERROR: exit with status 1 only if something is broken (the default); WARNING: "
                "also if there are warnings"
            ),
        )

    def handle(self, *, picture: Path | None, **options: Any) -> None:
        try:
            data = picture.read_bytes() if picture else None
        except OSError as error:
            raise CommandError(str(error)) from error
        findings = []
        for each in doctor.findings(data, project=options["project"]):
            findings.append(each)
            if not options["json"]:
                self._print(each)
        failing = {State.BROKEN}
        if options["fail_level"] == "WARNING":
            failing.add(State.WARNING)
        ok = not failing.intersection(each.state for each in findings)
        if options["json"]:
            payload = {"ok": ok, "findings": [each._asdict() for each in findings]}
            self.stdout.write(json.dumps(payload, indent=2))
        if not ok:
            sys.exit(1)

    def _print(self, finding: Finding) -> None:
        marks: dict[State, tuple[str, Any]] = {
            State.FINE: ("OK", str),
            State.WARNING: ("WARN", self.style.WARNING),
            State.BROKEN: ("ERROR", self.style.ERROR),
        }
        mark, style = marks[finding.state]
        self.stdout.write(style(f"{mark:6}{finding.part:{WIDTH}}{finding.text}"))
