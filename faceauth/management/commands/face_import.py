from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _
from tqdm import tqdm

from faceauth.bulk import cli, enrolment_options
from faceauth.bulk.enrolment import REFUSED, Case
from faceauth.bulk.importing import messages, report
from faceauth.bulk.importing.candidates import Kept
from faceauth.bulk.importing.exceptions import SourceError
from faceauth.bulk.importing.layouts import Columns
from faceauth.bulk.importing.sources import FORMATS, Source
from faceauth.enrolment import shots
from faceauth.recognition import encoders

# The exit status where somebody could not be enrolled.
SOME_REFUSED = 3


class Command(BaseCommand):
    help = _(
        "Enrols people from encodings that another program has kept: a pickle or JSON with names "
        "and lists of numbers, a CSV, a table of SQLite, or a folder of .npy files. A pickle is "
        "read without running what is in it. Whose face is enrolled already is left alone, so that "
        "a run that was broken off can be repeated. You vouch for whose the encodings are, and "
        "that the people have agreed. They hear of it by mail where NOTIFY_BY_MAIL is set. Ends "
        "with status 3 where somebody could not be enrolled."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("path", type=Path)
        enrolment_options.add_consent_argument(parser)
        parser.add_argument(
            "--format",
            choices=("auto", *FORMATS),
            default="auto",
            help=_("what the encodings are kept in (default: by the file's beginning and name)"),
        )
        parser.add_argument("--table", default="", help=_("the table of an SQLite database"))
        parser.add_argument(
            "--username-column",
            metavar="NAME",
            default="",
            help=_("what the column or the key is called that holds the usernames"),
        )
        parser.add_argument(
            "--encoding-column",
            metavar="NAME",
            default="",
            help=_("what the column or the key is called that holds the encodings"),
        )
        enrolment_options.add_arguments(
            parser,
            domain=_("with --create: their e-mail address is <username>@DOMAIN"),
            fewest=_("enrol nobody from fewer encodings (default: %(default)s)"),
            most=_("take no more of one person (default: %(default)s, ENROLMENT_SHOTS)"),
        )

    def handle(self, *, path: Path, **options: Any) -> None:
        cli.check_writable(options["json"])
        work = enrolment_options.admission(self, options, shots.Source.ELSEWHERE)
        kept = self._kept(path, options)
        if options["dry_run"]:
            self.stdout.write(_("Dry run: nobody is enrolled."))
        cases = work.cases(kept.roster.entries)
        for each in kept.roster.unused:
            self._remark(each.file, messages.of_encoding(each.reason))
        for case in cases:
            self._report(case)
        left = _("Who is enrolled stays so; run it again for the others.")
        with cli.stopping(left) as stopped:
            opened = [case for case in cases if not case.outcome]
            for case in tqdm(opened, unit=" " + _("people"), disable=None):
                work.admit(case, kept.gather(case.entry.photos, most=options["max_shots"]))
                self._report(case)
        found = report.results(cases, kept.roster.unused) | {"dry_run": options["dry_run"]}
        cli.write_json(options["json"], found)
        self.stdout.write(report.text(found))
        for warning in report.warnings(found):
            self.stderr.write(self.style.WARNING(warning))
        for reason in stopped:
            raise reason
        if kept.roster.unused or found["people"][REFUSED]:
            sys.exit(SOME_REFUSED)

    def _kept(self, path: Path, options: dict[str, Any]) -> Kept:
        columns = Columns(options["username_column"], options["encoding_column"])
        size = encoders.encoder().size
        source = Source(path, size, options["format"], columns, options["table"])
        try:
            kept = Kept(source.items())
        except (SourceError, OSError) as error:
            raise CommandError(f"{path}: {error}") from error
        if not kept.roster.entries:
            raise CommandError(_("There is nobody in %(path)s.") % {"path": path})
        return kept

    def _report(self, case: Case) -> None:
        """Say what is wrong with somebody's encodings, and why they are not enrolled."""
        for each in case.photos:
            if each.reason and each.reason != "enough":
                self._remark(each.path, messages.of_encoding(each.reason, each.details))
        if case.outcome == REFUSED:
            self._remark(case.entry.username, messages.of_person(case.reason, case.details))

    def _remark(self, of: Path | str, reason: str) -> None:
        with tqdm.external_write_mode():
            self.stderr.write(f"{of}: {reason}")
