from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from faceauth.operations import doctor
from faceauth.operations.doctor import Finding, State

PARTS = {
    "versions": gettext_lazy("versions"),
    "machine": gettext_lazy("machine"),
    "networks": gettext_lazy("networks"),
    "provider": gettext_lazy("provider"),
    "self-test": gettext_lazy("self-test"),
    "settings": gettext_lazy("settings"),
    "keys": gettext_lazy("keys"),
    "database": gettext_lazy("database"),
    "migrations": gettext_lazy("migrations"),
    "faces": gettext_lazy("faces"),
    "gallery": gettext_lazy("gallery"),
    "cache": gettext_lazy("cache"),
    "pages": gettext_lazy("pages"),
    "picture": gettext_lazy("picture"),
}

STATES = {
    State.FINE: "",
    State.WARNING: gettext_lazy("warning"),
    State.BROKEN: gettext_lazy("broken"),
}


class Command(BaseCommand):
    help = _(
        "Says what works here and what does not: networks and what they run on, a timed test of "
        "them, settings, keys, the database and its faces, the cache, the camera's headers. Ends "
        "with status 1 where something is broken."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "picture", type=Path, nargs="?", help=_("a photo of a face, to be looked at as well")
        )
        parser.add_argument("--json", action="store_true", help=_("the same for scripts"))
        parser.add_argument(
            "--fail-level",
            choices=("WARNING", "ERROR"),
            default="ERROR",
            help=_("what ends with status 1: only what is broken (the default), or warnings too"),
        )

    def handle(self, *, picture: Path | None, **options: Any) -> None:
        try:
            data = picture.read_bytes() if picture else None
        except OSError as error:
            raise CommandError(str(error)) from error
        found = []
        for each in doctor.findings(data):
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
        width = max(len(str(name)) for name in PARTS.values()) + 2
        state = str(STATES[found.state])
        line = f"{PARTS[found.part]!s:{width}}{state and f'{state}: '}{found.text}"
        self.stdout.write(styles.get(found.state, str)(line))
