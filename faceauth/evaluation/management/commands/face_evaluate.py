"""Command ``face_evaluate``: measure accuracy and error rates on a folder of photos."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from faceauth.bulk import cli
from faceauth.evaluation import accuracy_report, calibrate, dataset, lfw, plots
from faceauth.recognition.calibration import calibration

# The exit status if some photos were left out or show several people; the rest was evaluated.
SOME_LEFT_OUT = 3


class Command(BaseCommand):
    """Encode the photos in several processes, measure, and write the results."""

    help = (
        "Measure on a folder of <person>/<photo> how well the app distinguishes people: accuracy, "
        "error rates, and the rates at the distances that the settings give. Exit with status 3 if "
        "photos were left out or show several people."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", type=Path, help="photos, as <person>/<photo>")
        parser.add_argument("--pairs", type=Path, help="pairs of photos in LFW's format")
        parser.add_argument("--json", type=Path, help="write all results to this file")
        parser.add_argument("--plot", type=Path, help="plot the curves to this file (PNG, SVG...)")
        parser.add_argument(
            "--half", type=int, choices=(1, 2), help="use only this half of the people"
        )
        parser.add_argument(
            "--write",
            type=Path,
            metavar="DIR",
            help="write a calibration made from these people to this folder, for CALIBRATION",
        )
        parser.add_argument(
            "--processes", type=int, help="number of processes (default: one per core)"
        )

    def handle(self, *, folder: Path, **options: Any) -> None:
        paths = dataset.photos(folder)
        if not paths:
            raise CommandError(f"There are no photos in {folder}/<person>/.")
        uncalibrated = self._uncalibrated()
        if uncalibrated and not options["write"]:
            raise CommandError(f"{uncalibrated} Make a calibration first: --write DIR.")
        if half := options["half"]:
            names = sorted({path.parent.name for path in paths})[half - 1 :: 2]
            paths = [path for path in paths if path.parent.name in set(names)]
        found = self._encode(folder, paths, options["processes"])
        if uncalibrated:
            self._write(list(dataset.by_person(found).values()), options["write"])
            self.stdout.write(
                "Calibration written. Set CALIBRATION to its folder, then measure its error rates "
                "on other people."
            )
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
            raise CommandError("There are too few photos to measure error rates.")
        if any(photo.remark for photo in found):
            sys.exit(SOME_LEFT_OUT)

    def _uncalibrated(self) -> str:
        """Return the reason why the site has no calibration yet, or "" if it has one."""
        try:
            calibration()
        except ImproperlyConfigured as error:
            return str(error)
        return ""

    def _encode(
        self, folder: Path, paths: Sequence[Path], processes: int | None
    ) -> list[dataset.Photo]:
        found = []
        encoded = dataset.encode_all(paths, processes)
        progress = tqdm(encoded, total=len(paths), unit=" photos", disable=None)
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
            raise CommandError(f"{file} names a photo that does not exist: {error}") from error
        return {"pairs": len(pairs), **result._asdict()}

    def _write(self, people: list[list[dataset.Encoded]], folder: Path) -> None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            calibrate.write(people, folder)
        except (OSError, ValueError) as error:
            raise CommandError(f"No calibration was written: {error}") from error

    def _plot(self, scores: accuracy_report.ByCell, file: Path) -> None:
        try:
            plots.draw(accuracy_report.curves(scores), file)
        except ImportError as error:
            raise CommandError("--plot needs matplotlib: pip install matplotlib") from error
        except (OSError, ValueError) as error:
            raise CommandError(f"{file}: {error}") from error
