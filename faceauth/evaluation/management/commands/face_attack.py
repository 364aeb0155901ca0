"""Command ``face_attack``: attack the challenge, or a site, and print how many attacks succeed."""

from __future__ import annotations

import sys
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from faceauth.bulk import cli
from faceauth.evaluation import dataset, throwaway
from faceauth.evaluation.pad import heads, report, run
from faceauth.evaluation.pad.species import SPECIES
from faceauth.evaluation.pad.targets import Target
from faceauth.evaluation.posting import run as posting
from faceauth.evaluation.recording import session, sheets
from faceauth.liveness.challenge import FULL, SHORT

# The exit status if more attacks succeed than promised.
DOES_NOT_HOLD = 4


class Command(BaseCommand):
    """Attack throw-away sites with photos and films, in several processes, or a site by HTTP."""

    help = (
        "Attack the login with photos of people, from a folder of <person>/<photo>, and with films "
        "of heads, by programs that answer the challenge over the site's own addresses, on "
        "throw-away databases. Print how many attacks are taken for a live person, how many log "
        "in, and how many movements of real heads in the films are refused. Exit with status 4 if "
        "more attacks log in than promised. With --post, attack the site as a whole, trusted "
        "devices and codes included."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", type=Path, nargs="?", help="photos, as <person>/<photo>")
        parser.add_argument(
            "--clips",
            type=Path,
            help="a folder of films: animated GIFs, video files, folders of numbered pictures. "
            "Those in folders named animated and replayed are photos animated by a network, and "
            "pictures of prints and screens; all others are of real heads",
        )
        parser.add_argument(
            "--people",
            type=cli.at_least(1),
            help="number of people attacked (default: 100; with --post: 20)",
        )
        parser.add_argument(
            "--attempts",
            type=cli.at_least(1),
            default=1,
            help="number of attempts of each species on each person (default: 1)",
        )
        parser.add_argument(
            "--species",
            nargs="+",
            default=(),
            metavar="NAME",
            help="make only attacks whose names contain one of these texts",
        )
        parser.add_argument(
            "--kind",
            nargs="+",
            choices=(SHORT, FULL),
            default=(SHORT, FULL),
            help="the kinds of challenges (default: both)",
        )
        parser.add_argument(
            "--seed", type=int, default=0, help="another number gives other attempts (default: 0)"
        )
        parser.add_argument(
            "--post",
            nargs="?",
            const="",
            metavar="URL",
            help="attack the running site with this login page, on which the folders' names are "
            "usernames; without a URL, sites of its own with throw-away databases, one for each "
            "value of UNKNOWN_DEVICES and without limits on guessing",
        )
        parser.add_argument(
            "--unknown-devices",
            nargs="+",
            choices=posting.SETTINGS,
            default=posting.SETTINGS,
            help="with --post without a URL: values of UNKNOWN_DEVICES (default: all)",
        )
        parser.add_argument(
            "--who-exists",
            type=int,
            default=0,
            metavar="N",
            help="with --post without a URL: compare the answers and their times for accounts that "
            "exist and accounts that don't, with N requests each",
        )
        parser.add_argument(
            "--record",
            type=Path,
            metavar="FOLDER",
            help="lead a volunteer through true logins and attacks on themselves, with the camera "
            "of this computer. The frames stay in this folder; its sheet.json has no pictures",
        )
        parser.add_argument(
            "--port", type=cli.at_least(1), default=8765, help="with --record (default: 8765)"
        )
        parser.add_argument(
            "--sheets",
            type=Path,
            nargs="+",
            metavar="FILE",
            help="print what the sheets of several volunteers say together",
        )
        parser.add_argument("--json", type=Path, help="write all results to this file")
        parser.add_argument(
            "--processes", type=int, help="number of processes (default: one per core)"
        )

    def handle(self, *, folder: Path | None, **options: Any) -> None:
        if options["record"] or options["sheets"]:
            self._volunteers(**options)
            return
        if folder is None:
            raise CommandError("Give a folder with photos, or --record or --sheets.")
        paths = dataset.photos(folder)
        if not paths:
            raise CommandError(f"There are no photos in {folder}/<person>/.")
        if options["post"] and options["who_exists"]:
            raise CommandError("--who-exists needs a site of its own: give --post no URL.")
        posts = options["post"] is not None
        count = options["people"] or (20 if posts else 100)
        try:
            with throwaway.workers(options["processes"]) as pool:
                targets = run.people(pool, paths, count, options["seed"])
                if not targets:
                    raise CommandError("Nobody has two photos that can be used.")
                if posts:
                    results = self._post(pool, targets, **options)
                else:
                    results = self._attack(pool, targets, **options)
        except BrokenProcessPool as error:
            raise CommandError(
                "The throw-away site does not start. It uses SQLite: if the project can't, start "
                "it yourself and give the URL of its login page to --post."
            ) from error
        except (OSError, ValueError) as error:
            raise CommandError(str(error)) from error
        cli.write_json(options["json"], results)
        if report.broken(results.get("rows", [])):
            sys.exit(DOES_NOT_HOLD)

    def _volunteers(self, **options: Any) -> None:
        """Record a volunteer, or read sheets, and print the table."""
        try:
            if options["record"] and not settings.DEBUG:
                raise CommandError("--record is for development: set DEBUG.")
            entries = (
                session.lead(
                    options["record"],
                    port=options["port"],
                    plan=session.PLAN,
                    ask=input,
                    write=self.stdout.write,
                )
                if options["record"]
                else sheets.read(options["sheets"])
            )
        except (BrokenProcessPool, OSError, ValueError) as error:
            raise CommandError(str(error)) from error
        rows = sheets.rows(entries)
        self.stdout.write("\n" + sheets.text(rows))
        cli.write_json(options["json"], {"rows": rows})

    def _attack(
        self, pool: ProcessPoolExecutor, targets: list[Target], **options: Any
    ) -> dict[str, Any]:
        """Make all species of attacks, and print the table."""
        films = run.people_in_films(pool, options["clips"]) if options["clips"] else []
        self.stdout.write(f"{len(targets)} people in photos, {len(films)} in films\n\n")
        parts = options["species"]
        species = [
            index
            for index, each in enumerate(SPECIES)
            if not parts or any(part in each.name for part in parts)
        ]
        work = run.tasks(
            [*targets, *films],
            species=species,
            kinds=options["kind"],
            attempts=options["attempts"],
            seed=options["seed"],
        )
        total = sum(len(task.attempts) for task in work)
        rows = report.rows(tqdm(run.attempts(pool, work), total=total, unit="attempt"))
        self.stdout.write(report.text(rows))
        results: dict[str, Any] = {"people": len(targets), "films": len(films), "rows": rows}
        if options["clips"] and not parts:
            found = pool.submit(run.true_attempts, options["clips"]).result()
            self.stdout.write("\n" + "\n".join(heads.lines(found)))
            names = ("person", "movements", "attempts", "refused", "bpcer")
            results["heads"] = [{name: getattr(each, name) for name in names} for each in found]
        return results

    def _post(
        self, pool: ProcessPoolExecutor, targets: list[Target], **options: Any
    ) -> dict[str, Any]:
        """Attack whole sites, and print the tables."""
        return posting.attack(
            pool,
            targets,
            url=options["post"],
            values=options["unknown_devices"],
            only=options["species"],
            requests=options["who_exists"],
            seed=options["seed"],
            write=self.stdout.write,
        )
