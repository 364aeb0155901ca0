from __future__ import annotations

import os
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from faceauth import evaluation


class Command(BaseCommand):
    help = "Measures, on a folder of <person>/<photo>, how many faces are found and told apart."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", type=Path)
        parser.add_argument("--pairs", type=Path, help="pairs of photos in LFW's format")
        parser.add_argument("--processes", type=int, default=os.cpu_count())

    def handle(self, *, folder: Path, pairs: Path | None, processes: int, **options: Any) -> None:
        photos = evaluation.photos(folder)
        if not photos:
            raise CommandError(f"There are no photos in {folder}/<person>/.")
        context = get_context("spawn")
        templates = {}
        with ProcessPoolExecutor(processes, mp_context=context) as pool:
            results = pool.map(evaluation.encode_photo, photos, chunksize=16)
            for number, (path, template) in enumerate(zip(photos, results, strict=True), 1):
                templates[path] = template
                if template is None:
                    self.stderr.write(f"no face found: {path.relative_to(folder)}")
                if number % 200 == 0:
                    self.stderr.write(f"{number} of {len(photos)} photos")
        found = sum(template is not None for template in templates.values())
        people = len({path.parent for path in photos})
        self.stdout.write(f"{len(photos)} photos of {people} people")
        self.stdout.write(f"a face found in {found} of them: {found / len(photos):.2%}")
        if pairs:
            self._report_pairs(folder, pairs, templates)

    def _report_pairs(self, folder: Path, file: Path, templates: dict[Path, Any]) -> None:
        try:
            pairs = list(evaluation.read_pairs(folder, file))
            result = evaluation.accuracy(pairs, templates)
        except (OSError, ValueError) as error:
            raise CommandError(str(error)) from error
        except KeyError as error:
            raise CommandError(f"{file} names a photo that is not there: {error}") from error
        self.stdout.write(
            f"{len(pairs)} pairs, one photo a side: {result.share:.2%} right at the best distance "
            f"({result.distance:.3f}); {result.wrong} wrong, {result.undetected} of them undetected"
        )
