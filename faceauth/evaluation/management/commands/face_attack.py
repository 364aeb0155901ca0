"""Command ``face_attack``: attack the challenge, or a site, and print how many attacks succeed."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import django
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection
from tqdm import tqdm

from faceauth import conf
from faceauth.bulk import cli
from faceauth.capture import samples
from faceauth.evaluation import dataset
from faceauth.evaluation.pad import report, scenarios, test_cases, videos
from faceauth.evaluation.pad.scenarios import SCENARIOS, Case, Verdict
from faceauth.evaluation.pad.test_cases import Material
from faceauth.evaluation.pad.videos import Excerpt, TurnLimits
from faceauth.evaluation.posting import run
from faceauth.evaluation.posting.throwaway import StartError
from faceauth.liveness import challenge
from faceauth.models import UsedItem
from faceauth.vision.encoding import Encoding

# The exit status if more attacks succeed, or more genuine attempts are refused, than promised.
DOES_NOT_HOLD = 4


class Command(BaseCommand):
    """Attack the challenge with photos and videos, in several processes, or a site by HTTP."""

    help = (
        "Attack the liveness challenge with photos of people, from a folder of <person>/<photo>, "
        "and with videos of heads that turn. Print how many attacks succeed and how many genuine "
        "attempts are refused. Exit with status 4 if there are more than promised. With --post, "
        "attack a running site instead, as a script does that has photos and no camera."
    )
    requires_migrations_checks = True

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", type=Path, help="photos, as <person>/<photo>")
        parser.add_argument(
            "--clips",
            type=Path,
            help="a folder of videos of heads that turn: animated GIFs, video files, folders of "
            "numbered pictures",
        )
        parser.add_argument(
            "--attempts", type=int, default=300, help="number of each kind (default: 300)"
        )
        parser.add_argument(
            "--turns",
            type=int,
            choices=(1, 2, 3),
            help="number of turns in a challenge (default: CHALLENGE_TURNS)",
        )
        parser.add_argument("--only", help="make only attempts whose name contains this text")
        parser.add_argument(
            "--seed", type=int, default=0, help="another number gives other attempts (default: 0)"
        )
        parser.add_argument(
            "--post",
            nargs="?",
            const="",
            metavar="URL",
            help="post films to the login page at this URL, on which the folders' names are "
            "usernames; without a URL, to sites of its own with throw-away databases, one for each "
            "value of UNKNOWN_DEVICES and without limits on guessing",
        )
        parser.add_argument(
            "--people",
            type=cli.at_least(1),
            default=20,
            help="with --post: number of people attacked (default: 20)",
        )
        parser.add_argument(
            "--unknown-devices",
            nargs="+",
            choices=run.SETTINGS,
            default=run.SETTINGS,
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
        parser.add_argument("--json", type=Path, help="write all results to this file")
        parser.add_argument(
            "--processes", type=int, help="number of processes (default: one per core)"
        )

    def handle(self, *, folder: Path, **options: Any) -> None:
        paths = dataset.photos(folder)
        if not paths:
            raise CommandError(f"There are no photos in {folder}/<person>/.")
        if options["post"] is not None:
            self._post(paths, **options)
            return
        if UsedItem._meta.db_table not in connection.introspection.table_names():
            raise CommandError(
                "The database has no table for used answers: run manage.py migrate first."
            )
        turns = options["turns"] or conf.get().CHALLENGE_TURNS
        count, seed = options["attempts"], options["seed"]
        excerpts, templates = self._read_videos(options["clips"], turns)
        with self._pool(options["processes"]) as pool:
            chosen = test_cases.select_photos(paths, count, seed)
            portraits = tqdm(
                pool.map(test_cases.read_portrait, chosen, chunksize=8),
                total=len(chosen),
                unit="photo",
            )
            material = Material(filter(None, portraits), excerpts, templates, turns)
            self._describe(material, turns)
            only = options["only"] or ""
            cases = [
                case
                for case in material.cases(count, seed)
                if only in SCENARIOS[case.scenario].name
            ]
            verdicts = tqdm(self._verdicts(pool, cases), total=len(cases), unit="attempt")
            results = report.rows(verdicts)
        self.stdout.write(report.text(results))
        cli.write_json(options["json"], {"turns": turns, "rows": results})
        if report.broken(results):
            sys.exit(DOES_NOT_HOLD)

    def _post(self, paths: Sequence[Path], **options: Any) -> None:
        """Attack a site by HTTP, and print the tables."""
        if options["post"] and options["who_exists"]:
            raise CommandError("--who-exists needs a site of its own: give --post no URL.")
        try:
            with self._pool(options["processes"]) as pool:
                results = run.attack(
                    pool,
                    paths,
                    url=options["post"],
                    settings=options["unknown_devices"],
                    only=options["only"] or "",
                    people=options["people"],
                    turns=options["turns"] or conf.get().CHALLENGE_TURNS,
                    requests=options["who_exists"],
                    seed=options["seed"],
                    write=self.stdout.write,
                )
        except (OSError, ValueError) as error:
            raise CommandError(str(error)) from error
        except StartError as error:
            raise CommandError(
                "The throw-away site does not start. It uses SQLite: if the project can't, start "
                f"it yourself and give the URL of its login page.\n{error}"
            ) from error
        cli.write_json(options["json"], results)

    def _pool(self, processes: int | None) -> ProcessPoolExecutor:
        # Spawned, not forked: a fork would copy the parent's threads in the middle of their work.
        return ProcessPoolExecutor(
            processes or os.cpu_count(), get_context("spawn"), initializer=django.setup
        )

    def _read_videos(
        self, folder: Path | None, turns: int
    ) -> tuple[list[Excerpt], dict[str, Encoding]]:
        """Return the excerpts that answer a challenge, and templates of the people in them."""
        excerpts: list[Excerpt] = []
        templates: dict[str, Encoding] = {}
        if folder is None:
            return excerpts, templates
        engine = samples.engine()
        limits = TurnLimits(challenge.PAGE_TURNED, challenge.PAGE_MIDDLE)
        try:
            for video in videos.read_all(folder):
                tracked = videos.track(engine, video)
                for each in (tracked, tracked.mirrored(engine)):
                    if found := videos.excerpts(each, turns, limits):
                        excerpts += found
                        templates[each.video.name] = each.template(engine, test_cases.SHOTS)
        except (OSError, ValueError) as error:
            raise CommandError(str(error)) from error
        if not excerpts:
            warning = f"No video in {folder} answers a challenge."
            self.stderr.write(self.style.WARNING(warning))
        return excerpts, templates

    def _describe(self, material: Material, turns: int) -> None:
        names = {excerpt.video for excerpt in material.videos}
        self.stdout.write(
            f"{len(material.straight)} photos of {len(material.people)} people look straight "
            f"ahead, {len(material.albums)} people have photos turned to a side"
        )
        self.stdout.write(
            f"{len(material.videos)} parts of {len(names)} videos, including mirror images, answer "
            f"a challenge of {turns} turns"
        )
        self.stdout.write("")

    def _verdicts(
        self, pool: ProcessPoolExecutor, cases: Sequence[Case]
    ) -> Iterator[tuple[int, Verdict]]:
        replays = [case for case in cases if SCENARIOS[case.scenario].replayed]
        others = [case for case in cases if not SCENARIOS[case.scenario].replayed]
        for case, verdict in zip(others, pool.map(scenarios.judge, others), strict=True):
            yield case.scenario, verdict
        # Replays need the database, which only this process has.
        for case in replays:
            yield case.scenario, scenarios.judge_replay(case)
