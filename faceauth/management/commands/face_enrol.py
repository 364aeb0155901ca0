"""Command ``face_enrol``: enrol people from a folder or a CSV file of photos."""

from __future__ import annotations

import sys
import time
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from faceauth.bulk import cli, contact_sheet, enrolment_report, files, manifests, messages, photos
from faceauth.bulk.enrolment import REFUSED, BulkEnrolment, Candidate
from faceauth.bulk.manifests import Manifest
from faceauth.enrolment import shots

# The exit status if people could not be enrolled.
SOME_REFUSED = 3

# Reasons of files that nobody expects to be photos.
EXPECTED = ("hidden", "no_picture")


class Command(BaseCommand):
    """Examine the photos in several processes, and enrol each person in a transaction."""

    help = (
        "Enrol people from photos: a folder of <username>/<photos>, a folder of ID-NAME.png "
        "files, or a CSV file with the columns username, file and, for new accounts, email. A "
        "photo must be as good as a picture that the site takes itself. People whose face is "
        "enrolled already are skipped, so you can repeat a run that was interrupted. A photo does "
        "not prove that the person was present: you are responsible for whose photos they are, "
        "and for the consent of these people. They are notified by email if NOTIFY_BY_MAIL is "
        "set. Exit with status 3 if somebody could not be enrolled."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("path", type=Path, help="the folder or the CSV file")
        parser.add_argument(
            "--by",
            choices=("id", "name", "file"),
            default="id",
            help=(
                "the part of ID-NAME.png that is the username: the ID, the NAME, or the whole "
                "file name without its suffix (default: %(default)s)"
            ),
        )
        parser.add_argument(
            "--photos",
            type=Path,
            metavar="DIR",
            help=(
                "the folder of the files in a CSV file (default: the folder of the CSV file); no "
                "file outside it is read"
            ),
        )
        cli.add_enrolment_arguments(
            parser,
            domain=(
                "with --create: give new accounts the email address <username>@DOMAIN, unless a "
                "CSV file has an address; needed if accounts must have one"
            ),
            min_shots="enrol nobody with fewer photos (default: %(default)s)",
            max_shots="use at most N photos of a person (default: %(default)s, ENROLMENT_SHOTS)",
        )
        parser.add_argument(
            "--sheet",
            type=Path,
            metavar="FILE",
            help=(
                "write an HTML page with thumbnails of all photos and their results; no other "
                "file contains pictures"
            ),
        )
        parser.add_argument(
            "--processes", type=cli.at_least(1), metavar="N", help="default: one for each core"
        )

    def handle(self, *, path: Path, **options: Any) -> None:
        cli.check_writable(options["json"], options["sheet"])
        enrolment = cli.bulk_enrolment(self, options, shots.Source.FILE)
        self.root = path if path.is_dir() else options["photos"] or path.parent
        manifest = self._manifest(path, options["by"], options["photos"])
        candidates = enrolment.candidates(manifest.people)
        cli.check_new_accounts(
            candidates, "add --domain example.com, or name them in the column email of a CSV file"
        )
        if options["dry_run"]:
            self.stdout.write("Dry run: nobody is enrolled.")
        for each in [*manifest.unused, *(one for c in candidates for one in c.person.unused)]:
            self._remark(each.file, messages.photo_reason(each.reason))
        for candidate in candidates:
            self._report(candidate)
        began = time.monotonic()
        advice = "The people enrolled so far stay enrolled; run the command again for the others."
        with cli.stopping(advice) as stopped:
            self._enrol(enrolment, [each for each in candidates if not each.outcome], options)
        seconds = time.monotonic() - began
        results = enrolment_report.results(candidates, manifest.unused, self.root)
        examined = results["photos"]["good"] + results["photos"]["unusable"]
        speed = examined / seconds if examined else 0.0
        results["dry_run"] = options["dry_run"]
        results.update(seconds=round(seconds, 2), photos_per_second=round(speed, 2))
        self._save(results, candidates, manifest, options)
        self.stdout.write(enrolment_report.text(results))
        self.stdout.write(f"Time: {seconds:.1f} s, photos per second: {speed:.1f}.")
        for warning in enrolment_report.warnings(results):
            self.stderr.write(self.style.WARNING(warning))
        for error in stopped:
            raise error
        lost = any(each.reason not in EXPECTED for each in manifest.unused)
        if lost or results["people"][REFUSED]:
            sys.exit(SOME_REFUSED)

    def _manifest(self, path: Path, by: manifests.NamePart, root: Path | None) -> Manifest:
        try:
            folder = path.is_dir()
            manifest = manifests.from_folder(path, by) if folder else manifests.from_csv(path, root)
        except (OSError, ValueError) as error:
            raise CommandError(str(error)) from error
        if not manifest.people:
            for each in manifest.unused:
                self._remark(each.file, messages.photo_reason(each.reason))
            raise CommandError(f"There are no people in {path}.")
        return manifest

    def _enrol(
        self, enrolment: BulkEnrolment, candidates: list[Candidate], options: dict[str, Any]
    ) -> None:
        """Examine the photos of candidates, and enrol each."""
        examine = partial(
            photos.examine, limit=options["max_shots"], thumbnails=bool(options["sheet"])
        )
        paths = [each.person.photos for each in candidates]
        with closing(
            cli.with_progress(
                examine, paths, processes=options["processes"], unit="photos", size=len
            )
        ) as results:
            for candidate, examined in zip(candidates, results, strict=True):
                enrolment.enrol(candidate, examined)
                self._report(candidate)

    def _report(self, candidate: Candidate) -> None:
        """Print which photos of a person are not used, and why the person is not enrolled."""
        for photo in candidate.photos:
            if photo.reason and photo.reason != "enough":
                self._remark(photo.path, messages.photo_reason(photo.reason, photo.details))
        if candidate.outcome == REFUSED:
            reason = messages.person_reason(candidate.reason, candidate.details)
            self._remark(candidate.person.username, reason)

    def _remark(self, subject: Path | str, text: str) -> None:
        with tqdm.external_write_mode():
            self.stderr.write(f"{files.relative(subject, self.root)}: {text}")

    def _save(
        self,
        results: dict[str, Any],
        candidates: list[Candidate],
        manifest: Manifest,
        options: dict[str, Any],
    ) -> None:
        cli.write_json(options["json"], results)
        try:
            if file := options["sheet"]:
                contact_sheet.write(file, candidates, manifest.unused, dry_run=options["dry_run"])
                warning = f"{file} contains pictures of people: delete it once you have read it."
                self.stderr.write(self.style.WARNING(warning))
        except OSError as error:
            raise CommandError(str(error)) from error
