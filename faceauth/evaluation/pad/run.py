"""Attack throw-away sites with all species: ``face_attack FOLDER``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import islice
from pathlib import Path
from typing import TypeVar

from faceauth.capture import samples

from . import films, heads, targets, trial
from .heads import Head
from .species import SPECIES
from .targets import Target
from .trial import Attempt, Task

Item = TypeVar("Item")

AHEAD = 8  # people who are read before they are needed


def people(pool: ProcessPoolExecutor, paths: Sequence[Path], count: int, seed: int) -> list[Target]:
    """Return up to `count` people whose photos can be used, in random order."""
    groups = iter(targets.by_person(paths, seed))
    found: list[Target] = []
    waiting = [pool.submit(targets.from_photos, each) for each in islice(groups, AHEAD)]
    while waiting and len(found) < count:
        if target := waiting.pop(0).result():
            found.append(target)
        waiting += [pool.submit(targets.from_photos, each) for each in islice(groups, 1)]
    for each in waiting:
        each.cancel()
    return found


def people_in_films(pool: ProcessPoolExecutor, folder: Path) -> list[Target]:
    """Return the people in films.

    Raises:
        OSError: The folder cannot be read.
        ValueError: A film cannot be read.
    """
    return [each for each in pool.map(targets.from_film, films.paths(folder)) if each]


def true_attempts(folder: Path) -> list[Head]:
    """Judge the movements of the real heads in a folder of films.

    Args:
        folder: The films, or a folder with them in one named `targets.HEADS`.
    """
    real = folder / targets.HEADS
    return heads.measure(samples.engine(), real if real.is_dir() else folder)


def tasks(
    attacked: Sequence[Target],
    *,
    species: Sequence[int],
    kinds: Sequence[str],
    attempts: int,
    seed: int,
) -> list[Task]:
    """Return the attempts on each person.

    Args:
        attacked: The people. The first ones of whom there are photos attack the others.
        species: The indices of what is tried.
        kinds: Of the challenge.
        attempts: How often each species is tried on each person.
        seed: Of all random numbers.
    """
    photos = [each.photo for each in attacked if each.photos]
    found = []
    for number, target in enumerate(attacked):
        others = [photo for photo in photos if not target.photos or photo != target.photo]
        tries = [
            (index, kind, (seed, number, index, again))
            for index in species
            if SPECIES[index].suits(target) and (others or SPECIES[index].alone)
            for kind in kinds
            for again in range(attempts)
        ]
        other = others[number % len(others)] if others else None
        if tries:
            found.append(Task(target, other, tries))
    return found


def attempts(pool: ProcessPoolExecutor, work: Sequence[Task]) -> Iterator[Attempt]:
    """Yield the attempts as they end."""
    for found in pool.map(trial.run, work):
        yield from found
