"""Measure how many photos ``face_enrol`` and faces ``face_recognise`` take in a second.

Run ``python -m benchmarks.bulk lfw``, with a folder of ``<person>/<photo>``.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.serving import Site
from faceauth.vision import decode_image

PER_PERSON = 3
SIDE = 250  # pixels of a photo in a group picture
COLUMNS, ROWS = 4, 3


class Run(NamedTuple):
    """What a command did.

    Attributes:
        number: Of photos or faces.
        seconds: The time that it took, with the start of its processes.
        cpu: The CPU time of all its processes, in seconds, with its own start.
    """

    number: int
    seconds: float
    cpu: float

    def row(self, name: str, target: int) -> str:
        """Return a row of the table."""
        speed, cost = self.number / self.seconds, 1000 * self.cpu / self.number
        return f"| {self.number} {name} | {speed:.1f} | {cost:.0f} ms | {target} |"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.bulk", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--photos", type=int, default=300)
    parser.add_argument("--groups", type=int, default=25, help="pictures of 12 people")
    options = parser.parse_args()
    photos = _photos(options.folder, options.photos)
    with TemporaryDirectory() as name:
        root = Path(name)
        Site(root)
        print("| | a second | CPU time of each | target |\n| --- | --- | --- | --- |")
        print(_enrol(photos, root).row("photos, face_enrol", 30), flush=True)
        faces = _recognise(photos, options.groups, root)
        print(faces.row("faces, face_recognise", 15))


def _photos(folder: Path, count: int) -> list[Path]:
    """Return that many photos, at most three of a person."""
    people = sorted(each for each in folder.iterdir() if each.is_dir())
    return [photo for person in people for photo in sorted(person.iterdir())[:PER_PERSON]][:count]


def _enrol(photos: Sequence[Path], root: Path) -> Run:
    for photo in photos:
        person = root / "people" / photo.parent.name
        person.mkdir(parents=True, exist_ok=True)
        (person / photo.name).write_bytes(photo.read_bytes())
    file = root / "enrolled.json"
    options = ("--create", "--domain", "example.com", "--consent", "1", "--json", str(file))
    results, cpu = _run("face_enrol", root / "people", *options, results=file)
    counts = results["photos"]
    return Run(counts["good"] + counts["unusable"], results["seconds"], cpu)


def _recognise(photos: Sequence[Path], groups: int, root: Path) -> Run:
    (root / "groups").mkdir()
    for number in range(groups):
        start = number * ROWS * COLUMNS
        people = [photos[each % len(photos)] for each in range(start, start + ROWS * COLUMNS)]
        cv2.imwrite(str(root / "groups" / f"{number}.jpg"), _group(people)[:, :, ::-1])
    marked = root / "marked"
    results, cpu = _run(
        "face_recognise", root / "groups", "--output", str(marked), results=marked / "results.json"
    )
    faces = sum(len(each["faces"]) for each in results["results"])
    return Run(faces, results["seconds"], cpu)


def _group(photos: Sequence[Path]) -> NDArray[np.uint8]:
    """Return photos side by side, RGB, uint8 (750, 1000, 3)."""
    tiles = [cv2.resize(decode_image(each.read_bytes()), (SIDE, SIDE)) for each in photos]
    rows = [np.hstack(tiles[start : start + COLUMNS]) for start in range(0, len(tiles), COLUMNS)]
    return np.vstack(rows).astype(np.uint8)


def _run(command: str, path: Path, *options: str, results: Path) -> tuple[dict[str, Any], float]:
    """Return what a command of ``manage.py`` wrote as JSON, and its CPU time in seconds."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    # It exits with status 3 if it could not use all pictures.
    subprocess.run(
        [sys.executable, "manage.py", command, str(path), *options],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=False,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return json.loads(results.read_text()), cpu


if __name__ == "__main__":
    main()
