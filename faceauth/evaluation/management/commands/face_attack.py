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
from django.utils.translation import gettext as _
from tqdm import tqdm

from faceauth import conf
from faceauth.bulk import cli
from faceauth.capture import samples
from faceauth.evaluation import dataset
from faceauth.evaluation.pad import report, scenarios, test_cases, videos
from faceauth.evaluation.pad.scenarios import ROWS, Case, Verdict
from faceauth.evaluation.pad.test_cases import Supply
from faceauth.evaluation.pad.videos import Asked, Window
from faceauth.liveness import challenge
from faceauth.models import UsedItem
from faceauth.vision.encoding import Encoding

# The exit status where more attacks get through, or more true attempts are refused, than promised.
DOES_NOT_HOLD = 4


class Command(BaseCommand):
    help = _(
        "Attacks the liveness challenge with photos of people, a folder of <person>/<photo>, and "
        "with films of heads that turn: measures how many attacks get through, and how many true "
        "attempts are refused. Ends with status 4 where these are more than is promised."
    )
    requires_migrations_checks = True

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", type=Path)
        parser.add_argument(
            "--clips",
            type=Path,
            help=_("films of heads that turn: animated GIFs, videos, folders of numbered pictures"),
        )
        parser.add_argument(
            "--attempts", type=int, default=300, help=_("of each kind; default: 300")
        )
        parser.add_argument(
            "--turns", type=int, choices=(1, 2, 3), help=_("asked for; by default CHALLENGE_TURNS")
        )
        parser.add_argument("--only", help=_("the kinds of attempts whose names contain this"))
        parser.add_argument("--seed", type=int, default=0, help=_("another gives other attempts"))
        parser.add_argument("--json", type=Path, help=_("write all results there"))
        parser.add_argument("--processes", type=int, help=_("by default one a core"))

    def handle(self, *, folder: Path, **options: Any) -> None:
        paths = dataset.photos(folder)
        if not paths:
            raise CommandError(
                _("There are no photos in %(folder)s/<person>/.") % {"folder": folder}
            )
        if UsedItem._meta.db_table not in connection.introspection.table_names():
            raise CommandError(
                _(
                    "Answers that came before are known by the database: run manage.py migrate "
                    "first."
                )
            )
        turns = options["turns"] or conf.get().CHALLENGE_TURNS
        count, seed = options["attempts"], options["seed"]
        films, templates = self._films(options["clips"], turns)
        # Not forked: what runs in the parent's threads would be copied half-way.
        pool = ProcessPoolExecutor(
            options["processes"] or os.cpu_count(), get_context("spawn"), initializer=django.setup
        )
        with pool:
            chosen = test_cases.picked(paths, count, seed)
            read = tqdm(
                pool.map(test_cases.read, chosen, chunksize=8), total=len(chosen), unit=_("photo")
            )
            made_of = Supply(filter(None, read), films, templates, turns)
            self._describe(made_of, turns)
            only = options["only"] or ""
            cases = [
                each
                for each in made_of.cases(count, seed)
                if only in (name := ROWS[each.row].name) or only in _(name)
            ]
            judged = tqdm(self._judged(pool, cases), total=len(cases), unit=_("attempt"))
            results = report.rows(judged)
        self.stdout.write(report.text(results))
        cli.write_json(options["json"], {"turns": turns, "rows": results})
        if report.broken(results):
            sys.exit(DOES_NOT_HOLD)

    def _films(self, folder: Path | None, turns: int) -> tuple[list[Window], dict[str, Encoding]]:
        """The parts of films that answer a challenge, and templates of the people in them."""
        films: list[Window] = []
        templates: dict[str, Encoding] = {}
        if folder is None:
            return films, templates
        engine = samples.engine()
        asked = Asked(challenge.TURNED, challenge.MIDDLE)
        try:
            for clip in videos.read_all(folder):
                film = videos.trace(engine, clip)
                for each in (film, film.mirrored(engine)):
                    if found := videos.windows(each, turns, asked):
                        films += found
                        templates[each.clip.name] = each.template(engine, test_cases.SHOTS)
        except (OSError, ValueError) as error:
            raise CommandError(str(error)) from error
        if not films:
            warning = _("No film in %(folder)s answers a challenge.") % {"folder": folder}
            self.stderr.write(self.style.WARNING(warning))
        return films, templates

    def _describe(self, made_of: Supply, turns: int) -> None:
        photographed = _(
            "%(photos)d photos of %(people)d people look straight ahead, %(albums)d people have "
            "photos turned to a side"
        ) % {
            "photos": len(made_of.straight),
            "people": len(made_of.people),
            "albums": len(made_of.albums),
        }
        filmed = _(
            "%(parts)d parts of %(films)d films, mirror images among them, answer a challenge of "
            "%(turns)d turns"
        ) % {
            "parts": len(made_of.films),
            "films": len({film.film for film in made_of.films}),
            "turns": turns,
        }
        self.stdout.write(photographed)
        self.stdout.write(filmed)
        self.stdout.write("")

    def _judged(
        self, pool: ProcessPoolExecutor, cases: Sequence[Case]
    ) -> Iterator[tuple[int, Verdict]]:
        elsewhere = [case for case in cases if not ROWS[case.row].again]
        for case, verdict in zip(elsewhere, pool.map(scenarios.judge, elsewhere), strict=True):
            yield case.row, verdict
        # Here, where the database is.
        for case in cases:
            if ROWS[case.row].again:
                yield case.row, scenarios.judge_again(case)
