from __future__ import annotations

import sys
import time
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _
from tqdm import tqdm

from faceauth.bulk import (
    cli,
    contact_sheet,
    enrolment_options,
    enrolment_report,
    files,
    manifests,
    messages,
    photos,
)
from faceauth.bulk.enrolment import REFUSED, Admission, Case
from faceauth.enrolment import shots

# The exit status where somebody could not be enrolled.
SOME_REFUSED = 3

# Files that nobody expects to be photos.
NO_PHOTOS = ("hidden", "no_picture")


class Command(BaseCommand):
    help = _(
        "Enrols people from photos: a folder of <username>/<photos>, a folder of ID-NAME.png "
        "files, or a CSV with the columns username, file and, for new accounts, email. A photo has "
        "to be as good as one that the site takes itself. Whose face is enrolled already is left "
        "alone, so that a run that was broken off can be repeated. No photo shows that somebody is "
        "there: you vouch for whose they are, and that the people have agreed. They hear of it by "
        "mail where NOTIFY_BY_MAIL is set. Ends with status 3 where somebody could not be enrolled."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("path", type=Path)
        enrolment_options.add_consent_argument(parser)
        parser.add_argument(
            "--by",
            choices=("id", "name", "file"),
            default="id",
            help=_(
                "what is the username in ID-NAME.png: ID, NAME, or all before the last dot "
                "(default: %(default)s)"
            ),
        )
        parser.add_argument(
            "--photos",
            type=Path,
            metavar="DIR",
            help=_("where a CSV's files are, by default in its folder; none outside is read"),
        )
        enrolment_options.add_arguments(
            parser,
            domain=_(
                "with --create: their e-mail address is <username>@DOMAIN where a CSV gives none"
            ),
            fewest=_("enrol nobody from fewer photos (default: %(default)s)"),
            most=_("look at no more once so many are good (default: %(default)s, ENROLMENT_SHOTS)"),
        )
        parser.add_argument(
            "--sheet",
            type=Path,
            metavar="FILE",
            help=_(
                "write a page (HTML) with small pictures of all photos and what came of them; "
                "the only place where pictures are kept"
            ),
        )
        parser.add_argument("--processes", type=cli.at_least(1), help=_("by default one a core"))

    def handle(self, *, path: Path, **options: Any) -> None:
        cli.check_writable(options["json"], options["sheet"])
        work = enrolment_options.admission(self, options, shots.Source.FILE)
        self.root = path if path.is_dir() else options["photos"] or path.parent
        roster = self._roster(path, options["by"], options["photos"])
        if options["dry_run"]:
            self.stdout.write(_("Dry run: nobody is enrolled."))
        cases = work.cases(roster.entries)
        for each in [*roster.unused, *(each for case in cases for each in case.entry.unused)]:
            self._remark(each.file, messages.of_photo(each.reason))
        for case in cases:
            self._report(case)
        began = time.monotonic()
        left = _("Who is enrolled stays so; run it again for the others.")
        with cli.stopping(left) as stopped:
            self._enrol(work, [case for case in cases if not case.outcome], options)
        seconds = time.monotonic() - began
        results = enrolment_report.results(cases, roster.unused, self.root)
        looked_at = results["photos"]["good"] + results["photos"]["unusable"]
        speed = looked_at / seconds if looked_at else 0.0
        results["dry_run"] = options["dry_run"]
        results.update(seconds=round(seconds, 2), photos_per_second=round(speed, 2))
        self._save(results, cases, roster, options)
        self.stdout.write(enrolment_report.text(results))
        told = _("Time: %(seconds).1f s, photos looked at a second: %(speed).1f.")
        self.stdout.write(told % {"seconds": seconds, "speed": speed})
        for warning in enrolment_report.warnings(results):
            self.stderr.write(self.style.WARNING(warning))
        for reason in stopped:
            raise reason
        lost = any(each.reason not in NO_PHOTOS for each in roster.unused)
        if lost or results["people"][REFUSED]:
            sys.exit(SOME_REFUSED)

    def _roster(self, path: Path, by: manifests.By, root: Path | None) -> manifests.Roster:
        try:
            folder = path.is_dir()
            roster = manifests.of_folder(path, by) if folder else manifests.of_csv(path, root)
        except (OSError, ValueError) as error:
            raise CommandError(str(error)) from error
        if not roster.entries:
            for each in roster.unused:
                self._remark(each.file, messages.of_photo(each.reason))
            raise CommandError(_("There is nobody in %(path)s.") % {"path": path})
        return roster

    def _enrol(self, work: Admission, cases: list[Case], options: dict[str, Any]) -> None:
        """Look at the photos of those whose case is open, and enrol them."""
        look = partial(photos.gather, most=options["max_shots"], thumbnails=bool(options["sheet"]))
        paths = [case.entry.photos for case in cases]
        with closing(
            cli.with_progress(
                look, paths, processes=options["processes"], unit=_("photos"), size=len
            )
        ) as found:
            for case, seen in zip(cases, found, strict=True):
                work.admit(case, seen)
                self._report(case)

    def _report(self, case: Case) -> None:
        """Say what is wrong with somebody's photos, and why they are not enrolled."""
        for photo in case.photos:
            if photo.reason and photo.reason != "enough":
                self._remark(photo.path, messages.of_photo(photo.reason, photo.details))
        if case.outcome == REFUSED:
            self._remark(case.entry.username, messages.of_person(case.reason, case.details))

    def _remark(self, of: Path | str, reason: str) -> None:
        with tqdm.external_write_mode():
            self.stderr.write(f"{files.named(of, self.root)}: {reason}")

    def _save(
        self,
        results: dict[str, Any],
        cases: list[Case],
        roster: manifests.Roster,
        options: dict[str, Any],
    ) -> None:
        cli.write_json(options["json"], results)
        try:
            if file := options["sheet"]:
                contact_sheet.write(file, cases, roster.unused, dry_run=options["dry_run"])
                warning = _("%(file)s holds pictures of people: delete it once it has been read.")
                self.stderr.write(self.style.WARNING(warning % {"file": file}))
        except OSError as error:
            raise CommandError(str(error)) from error
