"""Make the films, start the sites, and run all attacks: ``face_attack FOLDER --post``."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import islice
from pathlib import Path
from typing import Any

from tqdm import tqdm

from . import existence, films, report
from .attacks import ATTACKS
from .films import Target
from .throwaway import ThrowawaySite, login_name

SETTINGS = ("code", "refuse", "allow")

FACELESS, NOBODY = "person0", "person1000"


def attack(
    pool: ProcessPoolExecutor,
    paths: Sequence[Path],
    *,
    url: str,
    people: int,
    turns: int,
    requests: int,
    seed: int,
    write: Callable[[str], Any],
) -> dict[str, Any]:
    """Attack a site, and return all results.

    Args:
        pool: The processes that make the films.
        paths: Photos of people.
        url: The login page of a running site, on which the people's folders are their usernames. If
            it is empty, throw-away sites are attacked: one for each value of ``UNKNOWN_DEVICES``.
        people: The number of people.
        turns: The number of turns in a challenge.
        requests: The number of requests for each case of `existence`; 0 to leave it out.
        seed: Of all random numbers.
        write: Prints a line.

    Raises:
        OSError: The site does not answer as expected.
        StartError: A throw-away site does not start.
        ValueError: The photos do not suffice.
    """
    tasks = films.tasks(paths, enrol=not url, turns=turns, seed=seed)
    progress = tqdm(total=min(people, len(tasks)), unit="person")
    targets = []
    for target in islice(_prepared(pool, tasks), people):
        targets.append(target)
        progress.update()
    progress.close()
    if not targets:
        raise ValueError("Nobody has enough photos that can be used.")
    for number, target in enumerate(targets, 1):
        target.username = target.name if url else login_name(f"person{number}")
    passing = sum(target.animated[0].passes for target in targets)
    write(f"{passing} of {len(targets)} people have a public photo that passes when animated")
    results: dict[str, Any] = {"turns": turns, "people": len(targets), "passing": passing}
    if url:
        results[url] = _attack(url, targets, None)
        write("\n" + report.text(results[url], "Attacks"))
        return results
    for value in SETTINGS:
        with ThrowawaySite(targets, value, login_name(FACELESS)) as site:
            results[value] = _attack(site.url, targets, site)
            write("\n" + report.text(results[value], f'UNKNOWN_DEVICES = "{value}"'))
            if requests and value == SETTINGS[0]:
                results["existence"] = _compare(site, targets, requests, seed)
                write("\n" + report.existence(results["existence"]))
    return results


def _prepared(
    pool: ProcessPoolExecutor, tasks: Iterable[films.Task], ahead: int = 4
) -> Iterator[Target]:
    """Yield the targets in order. Only a few more than are taken are made."""
    coming = iter(tasks)
    waiting = [pool.submit(films.prepare, task) for task in islice(coming, ahead)]
    while waiting:
        if target := waiting.pop(0).result():
            yield target
        waiting += [pool.submit(films.prepare, task) for task in islice(coming, 1)]


def _attack(
    url: str, targets: Sequence[Target], site: ThrowawaySite | None
) -> list[dict[str, Any]]:
    tries = []
    for each in tqdm(ATTACKS, unit="attack"):
        if site is not None or not each.own_site:
            made = [one for target in targets for one in each.run(url, target, site)]
            tries.append((each, made))
    return report.rows(tries, len(targets))


def _compare(
    site: ThrowawaySite, targets: Sequence[Target], requests: int, seed: int
) -> list[dict[str, Any]]:
    passing = [
        each for each in targets if any(film.passes for film in (*each.enrolled, *each.animated))
    ]
    if len(passing) < 2:
        raise ValueError("Comparing the answers takes films of two people that pass.")
    names = login_name(FACELESS), login_name(NOBODY)
    return existence.rows(existence.measure(site.url, passing, *names, requests, seed))
