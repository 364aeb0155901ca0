from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from faceauth import faces
from faceauth.bulk import cli
from faceauth.evaluation import accuracy_report
from faceauth.evaluation.dataset import Encoded

# The exit status where a rate does not hold.
DOES_NOT_HOLD = 4

LEFT_OUT = {
    "outdated": gettext_lazy("outdated templates left out: %(count)d"),
    "unreadable": gettext_lazy("unreadable templates left out: %(count)d"),
}


class Command(BaseCommand):
    help = _(
        "Measures, on the templates of this site's own users, whether the false-match rate that "
        "is set holds here. Ends with status 4 where it does not."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", type=Path, help=_("write all results there"))

    def handle(self, **options: Any) -> None:
        people, left_out = self._people()
        for why, count in left_out.items():
            self.stderr.write(self.style.WARNING(LEFT_OUT[why] % {"count": count}))
        if shortage := accuracy_report.shortage(people):
            enrolled = _("%(count)d people are enrolled.") % {"count": len(people)}
            raise CommandError(f"{enrolled} {shortage}")
        cells = accuracy_report.calibrated(people)
        self.stdout.write(accuracy_report.calibrated_text(people, cells))
        cli.write_json(options["json"], {"people": len(people), "cells": cells})
        if any(cell["holds"] is False for cell in cells):
            sys.exit(DOES_NOT_HOLD)

    def _people(self) -> tuple[list[list[Encoded]], Counter[str]]:
        """Everybody's shots, and of how many people they cannot be used."""
        rows = faces.rows().filter(face_encodings__isnull=False).only("face_encodings")
        people, left_out = [], Counter[str]()
        for face in rows.iterator():
            if face.has_face:
                people.append([Encoded(shot, shot, shot) for shot in face.face_encodings])
            else:
                left_out["outdated" if face.face_is_outdated else "unreadable"] += 1
        return people, left_out
