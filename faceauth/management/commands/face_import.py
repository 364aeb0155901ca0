"""Command ``face_import``: enrol people from encodings that another program stored."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from faceauth.bulk import cli, enrolment_report
from faceauth.bulk.enrolment import REFUSED, Candidate
from faceauth.bulk.importing import messages, report
from faceauth.bulk.importing.candidates import ImportedPeople
from faceauth.bulk.importing.exceptions import SourceError
from faceauth.bulk.importing.layouts import Columns
from faceauth.bulk.importing.sources import FORMATS, Source
from faceauth.enrolment import shots
from faceauth.recognition import encoders

# The exit status if people could not be enrolled.
SOME_REFUSED = 3


class Command(BaseCommand):
    """Read the encodings, and enrol each person in a transaction."""

    help = (
        "Enrol people from encodings that another program stored: a pickle or JSON file with "
        "names and lists of numbers, a CSV file, an SQLite table, or a folder of .npy files. The "
        "functions that a pickle names are not run. People whose face is enrolled already are "
        "skipped, so you can repeat a run that was interrupted. You are responsible for whose "
        "encodings they are, and for the consent of these people. They are notified by email if "
        "NOTIFY_BY_MAIL is set. Exit with status 3 if somebody could not be enrolled."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("path", type=Path, help="the file or folder of encodings")
        parser.add_argument(
            "--format",
            choices=("auto", *FORMATS),
            default="auto",
            help="the format (default: detect it from the first bytes and the name of the file)",
        )
        parser.add_argument("--table", default="", help="the table of an SQLite database")
        parser.add_argument(
            "--username-column",
            metavar="NAME",
            default="",
            help="the name of the column or key that holds the usernames",
        )
        parser.add_argument(
            "--encoding-column",
            metavar="NAME",
            default="",
            help="the name of the column or key that holds the encodings",
        )
        cli.add_enrolment_arguments(
            parser,
            domain=(
                "with --create: give new accounts the email address <username>@DOMAIN; needed if "
                "accounts must have one"
            ),
            min_shots="enrol nobody with fewer encodings (default: %(default)s)",
            max_shots="use at most N encodings of a person (default: %(default)s, ENROLMENT_SHOTS)",
        )

    def handle(self, *, path: Path, **options: Any) -> None:
        cli.check_writable(options["json"])
        enrolment = cli.bulk_enrolment(self, options, shots.Source.ELSEWHERE)
        imported = self._read(path, options)
        candidates = enrolment.candidates(imported.manifest.people)
        cli.check_new_accounts(candidates, "add --domain example.com")
        if options["dry_run"]:
            self.stdout.write("Dry run: nobody is enrolled.")
        for each in imported.manifest.unused:
            self._remark(each.file, messages.encoding_reason(each.reason))
        for candidate in candidates:
            self._report(candidate)
        advice = "The people enrolled so far stay enrolled; run the command again for the others."
        with cli.stopping(advice) as stopped:
            undecided = [each for each in candidates if not each.outcome]
            for candidate in tqdm(undecided, unit=" people", disable=None):
                places = candidate.person.photos
                selected = imported.select(places, limit=options["max_shots"])
                enrolment.enrol(candidate, selected)
                self._report(candidate)
        results = report.results(candidates, imported.manifest.unused)
        results["dry_run"] = options["dry_run"]
        cli.write_json(options["json"], results)
        self.stdout.write(enrolment_report.text(results, shots="encodings"))
        for warning in enrolment_report.warnings(results, shots="encodings"):
            self.stderr.write(self.style.WARNING(warning))
        for error in stopped:
            raise error
        if imported.manifest.unused or results["people"][REFUSED]:
            sys.exit(SOME_REFUSED)

    def _read(self, path: Path, options: dict[str, Any]) -> ImportedPeople:
        columns = Columns(options["username_column"], options["encoding_column"])
        size = encoders.encoder().size
        source = Source(path, size, options["format"], columns, options["table"])
        try:
            imported = ImportedPeople(source.read())
        except (SourceError, OSError) as error:
            raise CommandError(f"{path}: {error}") from error
        if not imported.manifest.people:
            raise CommandError(f"There are no people in {path}.")
        return imported

    def _report(self, candidate: Candidate) -> None:
        """Print which encodings of a person are not used, and why the person is not enrolled."""
        for each in candidate.photos:
            if each.reason and each.reason != "enough":
                self._remark(each.path, messages.encoding_reason(each.reason, each.details))
        if candidate.outcome == REFUSED:
            reason = messages.person_reason(candidate.reason, candidate.details)
            self._remark(candidate.person.username, reason)

    def _remark(self, subject: Path | str, text: str) -> None:
        with tqdm.external_write_mode():
            self.stderr.write(f"{subject}: {text}")
