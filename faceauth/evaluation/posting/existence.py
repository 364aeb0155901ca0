"""Compare the answers, and their times, for accounts that exist and accounts that don't.

One picture is sent in the name of its person, of somebody else, of an account without a face and of
nobody. The names take turns in random order, so that a machine that slows down slows all of them
down. The site has no challenge: its work does not depend on the name, and would hide what does.
"""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from statistics import median
from typing import Any, NamedTuple

import numpy as np
from django.conf import settings
from django.test.utils import override_settings
from tqdm import tqdm

from faceauth.evaluation import accounts
from faceauth.evaluation.pad.talk import Reply
from faceauth.evaluation.pad.targets import Target
from faceauth.evaluation.pad.visitor import Visitor

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
        seconds: How long each took.
        cpu: The CPU time of each, in milliseconds.
        answers: The different answers, without what is random in any answer.
    """

    case: str
    seconds: list[float]
    cpu: list[float]
    answers: set[str]


def measure(targets: Sequence[Target], requests: int, seed: int) -> list[Measured]:
    """Send `requests` requests for each case to the site of this process.

    Args:
        targets: People, at least two.
        requests: The number of requests.
        seed: Of the order.

    Raises:
        ValueError: There are too few people.
    """
    if len(targets) < 2:
        raise ValueError("Comparing the answers takes two people.")
    found = {case: Measured(case, [], [], set()) for case in CASES}
    random = np.random.default_rng(seed)
    changed = {**settings.FACEAUTH, "CHALLENGE": None, "UNKNOWN_DEVICES": "code"}
    with override_settings(FACEAUTH=changed):
        known = [accounts.create(f"{each.name}exists", each.template) for each in targets]
        faceless = accounts.create("faceless", None)
        nobody = accounts.login_name("nobody1000")
        # What is made once, by the first request, is made before.
        _ask(targets[0], nobody)
        for number in tqdm(range(requests), unit="round"):
            one, other = number % len(targets), (number + 1) % len(targets)
            names = dict(zip(CASES, (known[one], known[other], faceless, nobody), strict=True))
            for index in random.permutation(len(CASES)):
                case = CASES[index]
                start, cpu = time.perf_counter(), time.thread_time()
                answer = _ask(targets[one], names[case])
                found[case].seconds.append(time.perf_counter() - start)
                found[case].cpu.append((time.thread_time() - cpu) * 1000)
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


def _ask(target: Target, username: str) -> Reply:
    picture = target.enrolled[0].path.read_bytes()
    return Visitor().log_in({"username": username}, [picture])


def _comparable(answer: Reply) -> str:
    """Return the answer as a text without what is random in any answer."""
    headers = []
    for name, value in answer.headers:
        if name == "set-cookie":
            first, _semicolon, attributes = value.partition(";")
            value = f"{_VALUE.sub('', first)}, {len(first)} long;{_EXPIRES.sub('', attributes)}"
        if name not in _ALWAYS_NEW:
            headers.append(f"{name}: {value}")
    return "\n".join([str(answer.status), *sorted(headers), answer.text])
