from __future__ import annotations

import json
import sys
import time
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _
from tqdm import tqdm

from faceauth import conf
from faceauth.bulk import cli, files, manifests, messages, photos, recognition, recognition_report
from faceauth.bulk import reference_people as knowing
from faceauth.bulk.recognition import Picture
from faceauth.bulk.reference_people import Known

# The exit status where pictures could not be read.
SOME_UNREADABLE = 3

# Faces of fewer pixels are nobody's.
SMALLEST = 10

# What is written besides the pictures. Where it lies, an earlier run has been.
RESULTS = "results.json"


class Command(BaseCommand):
    help = _(
        "Finds every face in every picture of a folder, and says whose it is, of those enrolled "
        "or in a --known folder: writes the pictures with boxes, green with the name where "
        "somebody is recognised, red where nobody is (with a “?” where several are as near), and "
        "results.csv and results.json. This identifies people who may know nothing of it: you "
        "need a legal basis for it, in the EU as a rule the explicit consent of each of them "
        "(GDPR, article 9). Ends with status 3 where pictures could not be read."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "path", type=Path, help=_("a folder of pictures, and of folders of them")
        )
        parser.add_argument(
            "--output",
            type=Path,
            required=True,
            metavar="DIR",
            help=_("where everything is written: a new or empty folder, or that of an earlier run"),
        )
        parser.add_argument(
            "--known",
            type=Path,
            metavar="DIR",
            help=_(
                "compare with the people in this folder, of <name>/<photos> or NAME.png, in place "
                "of those enrolled"
            ),
        )
        parser.add_argument(
            "--smallest",
            type=cli.at_least(SMALLEST),
            metavar="PIXELS",
            default=recognition.WINDOW,
            help=_(
                "find faces down to this height (default: %(default)s). Below that the picture is "
                "enlarged: half the height takes four times as long. Fewer of small faces are "
                "recognised: of those 20 pixels tall a third"
            ),
        )
        parser.add_argument("--processes", type=cli.at_least(1), help=_("by default one a core"))

    def handle(self, *, path: Path, output: Path, **options: Any) -> None:
        self._check(path, output)
        pictures = self._pictures(path)
        known = self._known(options["known"], options["processes"])
        began = time.monotonic()
        found: list[Picture] = []
        left = _("The pictures so far are written; run it again for all.")
        try:
            with (
                cli.stopping(left) as stopped,
                closing(
                    cli.with_progress(
                        partial(recognition.recognise, known=known, smallest=options["smallest"]),
                        [(each, output / each.relative_to(path)) for each in pictures],
                        processes=options["processes"],
                        unit=_("pictures"),
                    )
                ) as work,
            ):
                for picture in work:
                    found.append(picture)
                    if picture.problem:
                        self._remark(picture.path, path, picture.problem)
            results = recognition_report.results(found, len(known.names), path)
            results["seconds"] = round(time.monotonic() - began, 2)
            recognition_report.write_csv(output / "results.csv", results["results"])
            (output / RESULTS).write_text(json.dumps(results, indent=2))
        except OSError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(recognition_report.text(results))
        self.stdout.write(_("Time: %(seconds).1f s.") % results)
        for reason in stopped:
            raise reason
        if results["pictures"]["unreadable"]:
            sys.exit(SOME_UNREADABLE)

    def _check(self, path: Path, output: Path) -> None:
        """Let nothing be written where it would replace anything, or be read the next time."""
        if not path.is_dir():
            raise CommandError(_("%(path)s is no folder.") % {"path": path})
        source, target = path.resolve(), output.resolve()
        if target.is_relative_to(source) or source.is_relative_to(target):
            message = _("--output and the folder of pictures may not lie in each other.")
            raise CommandError(message)
        try:
            output.mkdir(mode=0o700, parents=True, exist_ok=True)
            if any(output.iterdir()) and not (output / RESULTS).is_file():
                message = _("%(folder)s holds something else already.") % {"folder": output}
                raise CommandError(message)
            # From here on it is known as the output of a run, even one that was broken off.
            (output / RESULTS).touch()
        except OSError as error:
            raise CommandError(str(error)) from error

    def _pictures(self, path: Path) -> list[Path]:
        pictures = []
        try:
            for each, problem in files.below(path):
                if problem:
                    self._remark(each, path, problem)
                else:
                    pictures.append(each)
        except OSError as error:
            raise CommandError(str(error)) from error
        if not pictures:
            raise CommandError(_("There are no pictures in %(path)s.") % {"path": path})
        return pictures

    def _known(self, folder: Path | None, processes: int | None) -> Known:
        known = knowing.enrolled() if folder is None else self._known_in(folder, processes)
        if not known.names:
            raise CommandError(_("There is nobody to compare faces with."))
        return known

    def _known_in(self, folder: Path, processes: int | None) -> Known:
        """Who is in a folder of people, each by the photos that the site would take."""
        try:
            roster = manifests.of_folder(folder)
        except OSError as error:
            raise CommandError(str(error)) from error
        people = {}
        for each in roster.unused:
            self._remark(each.file, folder, each.reason)
        entries = roster.entries
        with closing(
            cli.with_progress(
                partial(photos.gather, most=conf.get().ENROLMENT_SHOTS),
                [entry.photos for entry in entries],
                processes=processes,
                unit=_("photos"),
                size=len,
            )
        ) as work:
            for entry, seen in zip(entries, work, strict=True):
                for each in entry.unused:
                    self._remark(each.file, folder, each.reason)
                for photo in seen:
                    if photo.reason not in ("", "enough"):
                        self._remark(photo.path, folder, photo.reason, photo.details)
                if photos.used(seen):
                    people[entry.username] = photos.encodings(seen)
        return Known.of(people)

    def _remark(
        self, file: Path | str, root: Path, reason: str, details: dict[str, Any] | None = None
    ) -> None:
        with tqdm.external_write_mode():
            self.stderr.write(f"{files.named(file, root)}: {messages.of_photo(reason, details)}")
