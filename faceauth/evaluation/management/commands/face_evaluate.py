from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _
from tqdm import tqdm

from faceauth.bulk import cli
from faceauth.evaluation import accuracy_report, calibrate, dataset, lfw, plots
from faceauth.recognition.calibration import calibration

# The exit status where some photos could not be used as they are: the rest was evaluated.
SOME_LEFT_OUT = 3


class Command(BaseCommand):
    help = _(
        "Measures, on a folder of <person>/<photo>, how well people are told apart: accuracy, "
        "error rates, and what the rates that are set come to. Ends with status 3 where photos "
        "had to be left out or show several people."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", type=Path)
        parser.add_argument("--pairs", type=Path, help=_("pairs of photos in LFW's format"))
        parser.add_argument("--json", type=Path, help=_("write all results there"))
        parser.add_argument("--plot", type=Path, help=_("draw the curves there (PNG, SVG, ...)"))
        parser.add_argument(
            "--half", type=int, choices=(1, 2), help=_("only one half of the people, or the other")
        )
        parser.add_argument(
            "--write",
            type=Path,
            metavar="DIR",
            help=_("measure a calibration on these people and write it there, see CALIBRATION"),
        )
        parser.add_argument("--processes", type=int, help=_("by default one a core"))

    def handle(self, *, folder: Path, **options: Any) -> None:
        paths = dataset.photos(folder)
        if not paths:
            raise CommandError(
                _("There are no photos in %(folder)s/<person>/.") % {"folder": folder}
            )
        uncalibrated = self._uncalibrated()
        if uncalibrated and not options["write"]:
            hint = _("Measure one first: --write DIR.")
            raise CommandError(f"{uncalibrated} {hint}")
        if half := options["half"]:
            names = sorted({path.parent.name for path in paths})[half - 1 :: 2]
            paths = [path for path in paths if path.parent.name in set(names)]
        found = self._encode(folder, paths, options["processes"])
        if uncalibrated:
            self._write(list(dataset.by_person(found).values()), options["write"])
            told = _("Written. Set CALIBRATION to it, and see what its rates come to.")
            self.stdout.write(told)
            return
        results: dict[str, Any] = {"photos": accuracy_report.photos(found)}
        if file := options["pairs"]:
            results["pairs"] = self._pairs(folder, file, found)
        people = list(dataset.by_person(found).values())
        if write := options["write"]:
            self._write(people, write)
        if shortage := accuracy_report.shortage(people):
            self.stderr.write(self.style.WARNING(shortage))
        else:
            scores = accuracy_report.scores(people)
            results.update(accuracy_report.rates(people, scores))
            if file := options["plot"]:
                self._plot(scores, file)
        self.stdout.write(accuracy_report.text(results))
        cli.write_json(options["json"], results)
        if shortage:
            raise CommandError(_("There is too little to measure rates on."))
        if any(photo.remark for photo in found):
            sys.exit(SOME_LEFT_OUT)

    def _uncalibrated(self) -> str:
        """Why there are no distances to go by yet, if there are none."""
        try:
            calibration()
        except ImproperlyConfigured as error:
            return str(error)
        return ""

    def _encode(
        self, folder: Path, paths: Sequence[Path], processes: int | None
    ) -> list[dataset.Photo]:
        found = []
        progress = tqdm(dataset.encode_all(paths, processes), total=len(paths), unit=_("photo"))
        for photo in progress:
            found.append(photo)
            if photo.remark:
                progress.write(f"{photo.path.relative_to(folder)}: {photo.remark}", sys.stderr)
        return found

    def _pairs(
        self, folder: Path, file: Path, found: Sequence[dataset.Photo]
    ) -> dict[str, float | int]:
        try:
            pairs = lfw.read_pairs(folder, file)
            result = lfw.accuracy(pairs, {photo.path: photo.encoded for photo in found})
        except (OSError, ValueError) as error:
            raise CommandError(str(error)) from error
        except KeyError as error:
            values = {"file": file, "photo": error}
            message = _("%(file)s names a photo that is not there: %(photo)s") % values
            raise CommandError(message) from error
        return {"pairs": len(pairs), **result._asdict()}

    def _write(self, people: list[list[dataset.Encoded]], folder: Path) -> None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            calibrate.write(people, folder)
        except (OSError, ValueError) as error:
            message = _("No calibration was written: %(why)s") % {"why": error}
            raise CommandError(message) from error

    def _plot(self, scores: accuracy_report.ByCell, file: Path) -> None:
        try:
            plots.draw(accuracy_report.curves(scores), file)
        except ImportError as error:
            message = _("--plot needs matplotlib: pip install matplotlib")
            raise CommandError(message) from error
        except (OSError, ValueError) as error:
            raise CommandError(f"{file}: {error}") from error
