"""Compare the answers, and their times, for accounts that exist and accounts that don't.

One picture is sent in the name of its person, of somebody else, of an account without a face and of
nobody. The names take turns in random order, so that a machine that slows down slows all of them
down. The site has no challenge: its work does not depend on the name, and would hide what does.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from statistics import median
from typing import Any, NamedTuple

import numpy as np
from tqdm import tqdm

from .browser import Answer, Browser
from .films import Target

OWN, OTHER, FACELESS, NOBODY = CASES = (
    "an account, and its face",
    "an account, and another face",
    "an account without a face",
    "no such account",
)

# Headers that differ between any two answers.
_ALWAYS_NEW = {"date", "server-timing", "expires"}

# The values of cookies are random.
_VALUE = re.compile(r"=[^;]*")
_EXPIRES = re.compile(r"expires=[^;]*", re.IGNORECASE)


class Measured(NamedTuple):
    """The answers in one case.

    Attributes:
        case: One of `CASES`.
        seconds: How long each took, as the visitor sees it.
        cpu: The CPU time of each, in milliseconds.
        answers: The different answers, without what is random in any answer.
    """

    case: str
    seconds: list[float]
    cpu: list[float]
    answers: set[str]


def measure(
    url: str, targets: Sequence[Target], faceless: str, nobody: str, requests: int, seed: int
) -> list[Measured]:
    """Send `requests` requests for each case.

    Args:
        url: The login page.
        targets: People who are enrolled, at least two, with films of enrolled pictures.
        faceless: The name of an account without a face.
        nobody: A name that no account has.
        requests: The number of requests.
        seed: Of the order.
    """
    found = {case: Measured(case, [], [], set()) for case in CASES}
    random = np.random.default_rng(seed)
    # What is made once, by the first request, is made before.
    _ask(url, targets[0], nobody)
    for number in tqdm(range(requests), unit="round"):
        target, other = (targets[(number + step) % len(targets)] for step in (0, 1))
        names = dict(zip(CASES, (target.username, other.username, faceless, nobody), strict=True))
        for index in random.permutation(len(CASES)):
            case = CASES[index]
            answer = _ask(url, target, names[case])
            found[case].seconds.append(answer.seconds)
            found[case].cpu.append(_cpu(answer))
            found[case].answers.add(_comparable(answer))
    return [found[case] for case in CASES]


def rows(measured: Sequence[Measured]) -> list[dict[str, Any]]:
    """Return a row for each case: medians, and how they compare with an account that no one has."""
    (nobody,) = [each for each in measured if each.case == NOBODY]
    return [
        {
            "case": each.case,
            "requests": len(each.seconds),
            "milliseconds": median(each.seconds) * 1000,
            "longer": median(each.seconds) / median(nobody.seconds) - 1,
            "cpu": median(each.cpu),
            "more_cpu": median(each.cpu) / median(nobody.cpu) - 1,
            "same_answer": each.answers == nobody.answers and len(each.answers) == 1,
        }
        for each in measured
    ]


def _ask(url: str, target: Target, username: str) -> Answer:
    # The first frame looks straight ahead.
    (film, *_others) = target.enrolled
    return Browser(url).post(url, {"username": username}, film.frames[:1])


def _cpu(answer: Answer) -> float:
    (timing,) = [value for name, value in answer.headers if name == "server-timing"]
    return float(timing.rpartition("=")[2])


def _comparable(answer: Answer) -> str:
    """Return the answer as a text without what is random in any answer."""
    headers = []
    for name, value in answer.headers:
        if name == "set-cookie":
            first, _semicolon, attributes = value.partition(";")
            value = f"{_VALUE.sub('', first)}, {len(first)} long;{_EXPIRES.sub('', attributes)}"
        if name not in _ALWAYS_NEW:
            headers.append(f"{name}: {value}")
    return "\n".join([str(answer.status), *sorted(headers), answer.text])
