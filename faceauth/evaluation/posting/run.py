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
    settings: Sequence[str],
    only: str,
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
            it is empty, throw-away sites are attacked.
        settings: The values of ``UNKNOWN_DEVICES``, with a throw-away site for each.
        only: Make only attacks whose name contains this text.
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
        results[url] = _attack(url, targets, None, only)
        write("\n" + report.text(results[url], "Attacks"))
        return results
    for value in settings:
        with ThrowawaySite(targets, value, login_name(FACELESS)) as site:
            results[value] = _attack(site.url, targets, site, only)
        write("\n" + report.text(results[value], f'UNKNOWN_DEVICES = "{value}"'))
    if requests:
        results["existence"] = _compare(targets, requests, seed)
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
    url: str, targets: Sequence[Target], site: ThrowawaySite | None, only: str
) -> list[dict[str, Any]]:
    tries = []
    chosen = [each for each in ATTACKS if only in each.name and not (each.own_site and not site)]
    for each in tqdm(chosen, unit="attack"):
        made = [one for target in targets for one in each.run(url, target, site)]
        tries.append((each, made))
    return report.rows(tries, len(targets))


def _compare(targets: Sequence[Target], requests: int, seed: int) -> list[dict[str, Any]]:
    if len(targets) < 2:
        raise ValueError("Comparing the answers takes two people.")
    names = login_name(FACELESS), login_name(NOBODY)
    with ThrowawaySite(targets, "code", names[0], challenge=None) as site:
        return existence.rows(existence.measure(site.url, targets, *names, requests, seed))
