from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError, CommandParser

from faceauth.evaluation import report
from faceauth.evaluation.photos import Encoded

# The exit status where a rate does not hold.
DOES_NOT_HOLD = 4


class Command(BaseCommand):
    help = (
        "Measures, on the templates of this site's own users, whether the false-match rate that "
        "is set holds here. Ends with status 4 where it does not."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", type=Path, help="write all results there")

    def handle(self, **options: Any) -> None:
        people, left_out = self._people()
        for why, count in left_out.items():
            self.stderr.write(self.style.WARNING(f"{why} templates left out: {count}"))
        if shortage := report.shortage(people):
            raise CommandError(f"{len(people)} people are enrolled. {shortage}")
        cells = report.calibrated(people)
        self.stdout.write(report.calibrated_text(people, cells))
        if file := options["json"]:
            try:
                file.write_text(json.dumps({"people": len(people), "cells": cells}, indent=2))
            except OSError as error:
                raise CommandError(str(error)) from error
        if any(cell["holds"] is False for cell in cells):
            sys.exit(DOES_NOT_HOLD)

    def _people(self) -> tuple[list[list[Encoded]], Counter[str]]:
        """Everybody's shots, and of how many people they cannot be used."""
        users = get_user_model()._default_manager.filter(face_encodings__isnull=False)
        people, left_out = [], Counter[str]()
        rows: Any = users.only("face_encodings")
        for user in rows.iterator():
            if user.has_face:
                people.append([Encoded(shot, shot, shot) for shot in user.face_encodings])
            else:
                left_out["outdated" if user.face_is_outdated else "unreadable"] += 1
        return people, left_out
