"""Attack whole sites: ``face_attack FOLDER --post``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from typing import Any

from django.conf import settings
from django.test.utils import override_settings
from tqdm import tqdm

from faceauth.evaluation import accounts
from faceauth.evaluation.pad.targets import Target

from . import existence, report
from .attacks import ATTACKS, PASSWORD, Try, Victim

SETTINGS = ("code", "refuse", "allow")

# The tries of each attack, by its index.
Tries = list[tuple[int, list[Try]]]


def attack(
    pool: ProcessPoolExecutor,
    targets: Sequence[Target],
    *,
    url: str,
    values: Sequence[str],
    only: Sequence[str],
    requests: int,
    seed: int,
    write: Callable[[str], Any],
) -> dict[str, Any]:
    """Attack a site, and return all results.

    Args:
        pool: Processes with a site each.
        targets: The people.
        url: The login page of a running site, on which the people's folders are their usernames. If
            it is empty, the sites of the processes are attacked.
        values: The values of ``UNKNOWN_DEVICES`` of these sites.
        only: Parts of the names of the attacks that are made; all if there are none.
        requests: The number of requests for each case of `existence`; 0 to leave it out.
        seed: Of all random numbers.
        write: Prints a line.

    Raises:
        OSError: The site does not answer as expected.
        ValueError: There are too few people.
    """
    chosen = [
        number
        for number, each in enumerate(ATTACKS)
        if _is_chosen(each.name, only) and not (url and each.own_site)
    ]
    results: dict[str, Any] = {"people": len(targets)}
    if url:
        progress = tqdm(targets, unit="person")
        made = [_attack(chosen, Victim(each, each.name, url)) for each in progress]
        results[url] = report.rows(_joined(made), len(targets))
        write("\n" + report.text(results[url], "Attacks"))
        return results
    for value in values:
        work = pool.map(partial(_attack_own_site, chosen, value), targets)
        found = list(tqdm(work, total=len(targets), unit="person", desc=value))
        results[value] = report.rows(_joined(found), len(targets))
        write("\n" + report.text(results[value], f'UNKNOWN_DEVICES = "{value}"'))
    if requests:
        measured = pool.submit(existence.measure, targets, requests, seed).result()
        results["existence"] = existence.rows(measured)
        write("\n" + report.existence(results["existence"]))
    return results


def _is_chosen(name: str, only: Sequence[str]) -> bool:
    return not only or any(part in name for part in only)


def _attack_own_site(chosen: Sequence[int], value: str, target: Target) -> Tries:
    """Attack a person on the site of this process."""
    changed = {**settings.FACEAUTH, "CHALLENGE": "auto", "UNKNOWN_DEVICES": value}
    with override_settings(FACEAUTH=changed):
        username = accounts.create(f"{target.name}{value}", target.template, PASSWORD)
        return _attack(chosen, Victim(target, username))


def _attack(chosen: Sequence[int], victim: Victim) -> Tries:
    return [(index, list(ATTACKS[index].run(victim))) for index in chosen]


def _joined(found: Sequence[Tries]) -> Tries:
    """Return the tries on all people together."""
    together: dict[int, list[Try]] = {}
    for each in found:
        for index, tries in each:
            together.setdefault(index, []).extend(tries)
    return sorted(together.items())
