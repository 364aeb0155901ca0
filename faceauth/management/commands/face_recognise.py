"""Command ``face_recognise``: recognise and mark the people in pictures."""

from __future__ import annotations

import json
import sys
import time
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from faceauth import conf
from faceauth.bulk import (
    cli,
    files,
    manifests,
    messages,
    photos,
    recognition,
    recognition_report,
    reference_people,
)
from faceauth.bulk.recognition import Picture
from faceauth.bulk.reference_people import ReferencePeople

# The exit status if pictures could not be read.
SOME_UNREADABLE = 3

# A face of fewer pixels cannot be recognised.
MIN_HEIGHT = 10

# A file that is written besides the pictures. It marks the output folder of an earlier run.
RESULTS = "results.json"


class Command(BaseCommand):
    """Search the pictures in several processes, and write marked copies and results."""

    help = (
        "Find every face in every picture of a folder, and recognise the people who are "
        "enrolled or in a --known folder. Write copies of the pictures with boxes: green with "
        "the name if the person is recognised, red if not (with a “?” if several people are "
        "equally near); and results.csv and results.json. In results.csv, an apostrophe precedes "
        "names that spreadsheets would take for formulas. This identifies people who may not know "
        "about it: you need a legal basis, in the EU as a rule the explicit consent of each person "
        "(GDPR, article 9). Exit with status 3 if pictures could not be read."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "path", type=Path, help="a folder of pictures and of folders of pictures"
        )
        parser.add_argument(
            "--output",
            type=Path,
            required=True,
            metavar="DIR",
            help="the folder to write to: a new or empty one, or that of an earlier run",
        )
        parser.add_argument(
            "--known",
            type=Path,
            metavar="DIR",
            help=(
                "compare with the people in this folder of <name>/<photos> or NAME.png, instead "
                "of the enrolled people"
            ),
        )
        parser.add_argument(
            "--smallest",
            type=cli.at_least(MIN_HEIGHT),
            metavar="PIXELS",
            default=recognition.WINDOW,
            help=(
                "the height of the smallest face to find (default: %(default)s). To find smaller "
                "faces, the picture is enlarged: half the height takes four times as long. Small "
                "faces are recognised less often: a third of those that are 20 pixels tall"
            ),
        )
        parser.add_argument(
            "--processes", type=cli.at_least(1), metavar="N", help="default: one for each core"
        )

    def handle(self, *, path: Path, output: Path, **options: Any) -> None:
        self._check(path, output)
        pictures = self._pictures(path)
        people = self._people(options["known"], options["processes"])
        began = time.monotonic()
        found: list[Picture] = []
        advice = "The pictures so far are written; run the command again for all of them."
        try:
            with (
                cli.stopping(advice) as stopped,
                closing(
                    cli.with_progress(
                        partial(recognition.recognise, people=people, smallest=options["smallest"]),
                        [(each, output / each.relative_to(path)) for each in pictures],
                        processes=options["processes"],
                        unit="pictures",
                    )
                ) as recognised,
            ):
                for picture in recognised:
                    found.append(picture)
                    if picture.problem:
                        self._remark(picture.path, path, picture.problem)
            results = recognition_report.results(found, len(people.names), path)
            results["seconds"] = round(time.monotonic() - began, 2)
            recognition_report.write_csv(output / "results.csv", results["results"])
            (output / RESULTS).write_text(json.dumps(results, indent=2))
        except OSError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(recognition_report.text(results))
        self.stdout.write(f"Marked pictures, results.csv and results.json: {output}")
        self.stdout.write(f"Time: {results['seconds']:.1f} s.")
        for stop in stopped:
            raise stop
        if results["pictures"]["unreadable"]:
            sys.exit(SOME_UNREADABLE)

    def _check(self, path: Path, output: Path) -> None:
        """Make sure that no file is replaced, and that the next run does not read the output."""
        if not path.is_dir():
            raise CommandError(f"{path} is not a folder.")
        source, target = path.resolve(), output.resolve()
        if target.is_relative_to(source) or source.is_relative_to(target):
            raise CommandError("--output and the folder of pictures must not contain each other.")
        try:
            output.mkdir(mode=0o700, parents=True, exist_ok=True)
            if any(output.iterdir()) and not (output / RESULTS).is_file():
                raise CommandError(f"{output} contains other files.")
            # From now on this is the output folder of a run, even if the run is interrupted.
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
            raise CommandError(f"There are no pictures in {path}.")
        return pictures

    def _people(self, folder: Path | None, processes: int | None) -> ReferencePeople:
        if folder is None:
            people = reference_people.enrolled()
        else:
            people = self._people_in(folder, processes)
        if not people.names:
            raise CommandError("There are no people to compare faces with.")
        return people

    def _people_in(self, folder: Path, processes: int | None) -> ReferencePeople:
        """Return the people in a folder, with the photos that are good enough to enrol."""
        try:
            manifest = manifests.from_folder(folder)
        except OSError as error:
            raise CommandError(str(error)) from error
        encodings = {}
        for each in manifest.unused:
            self._remark(each.file, folder, each.reason)
        people = manifest.people
        with closing(
            cli.with_progress(
                partial(photos.examine, limit=conf.get().ENROLMENT_SHOTS),
                [person.photos for person in people],
                processes=processes,
                unit="photos",
                size=len,
            )
        ) as results:
            for person, examined in zip(people, results, strict=True):
                for each in person.unused:
                    self._remark(each.file, folder, each.reason)
                for photo in examined:
                    if photo.reason not in ("", "enough"):
                        self._remark(photo.path, folder, photo.reason, photo.details)
                if photos.used(examined):
                    encodings[person.username] = photos.encodings(examined)
        return ReferencePeople.from_encodings(encodings)

    def _remark(
        self, file: Path | str, root: Path, reason: str, details: dict[str, Any] | None = None
    ) -> None:
        text = messages.photo_reason(reason, details)
        with tqdm.external_write_mode():
            self.stderr.write(f"{files.relative(file, root)}: {text}")
