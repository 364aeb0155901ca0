"""Command ``face_calibrate``: check that the false-match rate holds for the site's own users."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from faceauth import faces
from faceauth.bulk import cli
from faceauth.evaluation import accuracy_report
from faceauth.evaluation.dataset import Encoded

# The exit status if a rate does not hold.
DOES_NOT_HOLD = 4


class Command(BaseCommand):
    """Compare the templates of all enrolled users with each other."""

    help = (
        "Check that the false-match rate in the settings holds for the site's own users, by "
        "comparing their templates. Exit with status 4 if it does not."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", type=Path, help="write all results to this file")

    def handle(self, **options: Any) -> None:
        people, left_out = self._people()
        for state, count in left_out.items():
            self.stderr.write(self.style.WARNING(f"{state} templates left out: {count}"))
        if shortage := accuracy_report.shortage(people):
            raise CommandError(f"{len(people)} people are enrolled. {shortage}")
        cells = accuracy_report.check_rates(people)
        self.stdout.write(accuracy_report.check_text(people, cells))
        cli.write_json(options["json"], {"people": len(people), "cells": cells})
        if any(cell["holds"] is False for cell in cells):
            sys.exit(DOES_NOT_HOLD)

    def _people(self) -> tuple[list[list[Encoded]], Counter[str]]:
        """Return the shots of each enrolled user, and count unusable templates by their state."""
        rows = faces.rows().filter(face_encodings__isnull=False).only("face_encodings")
        people, left_out = [], Counter[str]()
        for face in rows.iterator():
            if face.has_face:
                people.append([Encoded(shot, shot, shot) for shot in face.face_encodings])
            else:
                left_out["outdated" if face.face_is_outdated else "unreadable"] += 1
        return people, left_out
