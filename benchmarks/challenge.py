"""Measure the CPU time of a login with a challenge: all requests, from the first frame on.

Run ``python -m benchmarks.challenge``. The person is a photo that moves as a head does; time passes
without waiting, and only the site's work is measured.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from datetime import timedelta
from functools import partial
from statistics import median
from typing import Any, NamedTuple
from unittest import mock

import numpy as np
from django.contrib.auth import get_user_model
from django.db import connection
from django.test import Client, override_settings
from django.urls import reverse
from django.utils import timezone

import benchmarks.environment  # noqa: F401
from benchmarks.login import site
from benchmarks.trusted import PASSWORD, Owner
from faceauth import enrolment, metrics
from faceauth.capture import samples
from faceauth.evaluation.pad.rendering import Image
from faceauth.evaluation.pad.talk import QuickClock, Reply, talk
from faceauth.liveness import replay
from faceauth.liveness.takes import Take
from faceauth.models import FaceChallenge, FaceTake, FailureCount, RequestCount
from tests.support.person import Person, Upload
from tests.support.webcam import snapshot

LOGINS = 10

# The defaults, but for limits: all logins come from one address.
SETTINGS = {"FRAME_CPU_SECONDS_PER_MINUTE": 100_000, "CHALLENGES_PER_MINUTE": 1000}

JSON = {"Accept": "application/json"}

TARGET, FRAME_TARGET = 350, 8  # milliseconds

# One login before challenges became conversations: 35 previews and an answer of nine frames.
BEFORE = 1300  # milliseconds

STAGES = ("decode", "find", "mesh", "encode")
DATABASE = "database"


# On the page: seconds from one frame to the next, and to the one after a step is shown.
INTERVAL, REACTION = 0.125, 0.25


class Clock(QuickClock):
    """A time in which frames come as often as from the page."""

    _step: Any = None
    _interval = INTERVAL

    def note(self, step: Any) -> None:
        """Note the step of an answer."""
        shown = step and (step["name"], step["done"])
        self._interval = REACTION if shown and shown != self._step else INTERVAL
        self._step = shown

    def wait(self, seconds: float) -> None:
        super().wait(max(seconds, self._interval))


class Login(NamedTuple):
    """The CPU time of one login, in milliseconds.

    Attributes:
        page: The page.
        frames: Each request with a frame.
        answer: The login itself.
        stages: Of `STAGES` and the database in all requests but the page's, if they were measured:
            that makes the requests slower.
    """

    page: float
    frames: list[float]
    answer: float
    stages: Mapping[str, float]

    @property
    def total(self) -> float:
        """All requests but the page's."""
        return sum(self.frames) + self.answer


class Cost(NamedTuple):
    """Logins of one kind.

    Attributes:
        name: The kind.
        logins: Logins in which nothing but the requests was measured.
        stages: The stages of as many other logins.
    """

    name: str
    logins: list[Login]
    stages: list[Mapping[str, float]]

    def of(self, value: Callable[[Login], float]) -> float:
        """Return the median over the logins."""
        return median(map(value, self.logins))

    def of_stage(self, name: str) -> float:
        """Return the median of a stage."""
        return median(each[name] for each in self.stages)


def measure(logins: int = LOGINS) -> list[Cost]:
    """Measure logins on a trusted device, and those of an unknown one up to the code."""
    with site(), override_settings(FACEAUTH=SETTINGS):
        user = get_user_model().objects.create_user("obama", "obama@example.com", PASSWORD)
        enrolment.enrol(user, samples.encodings([snapshot("obama2"), snapshot("obama3")]))
        remember_takes(user)
        owner = Owner()

        def trusted(measured: bool) -> Login:
            owner.client.cookies.pop("sessionid", None)
            return _log_in(owner.client, owner.fields, measured)

        def unknown(measured: bool) -> Login:
            return _log_in(Client(), dict, measured)

        costs = [Cost("trusted device, short", [], []), Cost("unknown device, to the code", [], [])]
        # In turns, so that a machine that slows down slows all down; the first ones warm up.
        for number in range(logins + 1):
            for cost, way in zip(costs, (trusted, unknown), strict=True):
                login, with_stages = way(False), way(True)
                if number:
                    cost.logins.append(login)
                    cost.stages.append(with_stages.stages)
        return costs


def remember_takes(user: Any) -> None:
    """Keep as many takes of earlier logins as there are of somebody who has logged in for long.

    They are of no head: the paths are random, and the encodings as far from the user's as those of
    other days.
    """
    random = np.random.default_rng(3)
    for _ in range(replay.KEPT - 1):
        path = random.normal(0, 5, (20, 4)).astype(np.float32)
        encodings = user.face_encodings[:2] + random.normal(0, 0.03, (2, 128)).astype(np.float32)
        times = np.arange(len(path), dtype=np.float32) * INTERVAL
        replay.remember(user, None, Take(times, path, encodings))
    FaceTake.objects.update(at=timezone.now() - timedelta(days=1))


def _log_in(client: Client, proof: Callable[[], dict[str, str]], measured: bool) -> Login:
    """Log in, with as many challenges as it takes, of which only the last one is measured.

    Args:
        client: The browser.
        proof: Returns what the page sends to prove that it has a device's key, each time anew.
        measured: True to measure the stages.
    """
    for model in (FaceChallenge, FailureCount, RequestCount):
        model.objects.all().delete()
    # A photo that moves repeats itself, and so it would be refused as a film of before.
    FaceTake.objects.filter(at__gt=timezone.now() - timedelta(hours=1)).delete()
    client.get(reverse("accounts:signup"))  # loads the middleware
    with _cpu() as page:
        client.get(reverse("faceauth:login"))
    frames: list[float] = []
    opening = proof()

    def post(fields: Mapping[str, str], pictures: Sequence[bytes]) -> Reply:
        data: dict[str, Any] = {**fields, "frame": [Upload(each) for each in pictures]}
        if not frames:
            data |= opening
        with _cpu() as spent:
            response = client.post(reverse("faceauth:frames"), data, headers=JSON)
        frames.extend(spent)
        clock.note(response.json().get("step"))
        return Reply(response.status_code, response.json())

    def show(step: str, since: float) -> Image:
        # The page shows a step when the answer comes, and not with the frame after that.
        return person.frame_for(step, since + REACTION if step else since)

    clock, person = Clock(), Person("obama")
    stages: Counter[str] = Counter()
    with _measured(stages) if measured else nullcontext(), clock.installed():
        outcome = talk(post, show, clock)
        if not outcome.passed:
            print(f"Refused: {outcome.reason} at {outcome.steps}", file=sys.stderr)
            return _log_in(client, proof, measured)
        data = {"challenge": outcome.challenge, **proof()}
        with _cpu() as answer:
            response = client.post(reverse("faceauth:login"), data)
    assert response.status_code == 302, "nobody was recognised"
    return Login(page[0], frames, answer[0], stages)


@contextmanager
def _cpu() -> Iterator[list[float]]:
    """Measure CPU time: the list gets the milliseconds."""
    found: list[float] = []
    start = time.process_time()
    yield found
    found.append((time.process_time() - start) * 1000)


@contextmanager
def _measured(spent: Counter[str]) -> Iterator[None]:
    """Add the CPU time of the stages that metrics know, and of the database."""

    @contextmanager
    def stage(name: str) -> Iterator[None]:
        with _cpu() as found:
            yield
        spent[name] += found[0]  # type: ignore[assignment]

    def execute(query: Callable[..., Any], *arguments: Any) -> Any:
        with stage(DATABASE):
            return query(*arguments)

    with ExitStack() as stack:
        stack.enter_context(mock.patch.object(metrics, "stage", stage))
        stack.enter_context(connection.execute_wrapper(execute))
        yield


def report(costs: Sequence[Cost]) -> None:
    """Print the costs as a table."""
    print("| CPU time in ms, medians | " + " | ".join(each.name for each in costs) + " |")
    print("| --- |" + " --- |" * len(costs))

    def row(name: str, value: Callable[[Cost], float], digits: int = 0) -> None:
        print(f"| {name} | " + " | ".join(f"{value(each):.{digits}f}" for each in costs) + " |")

    def rest(cost: Cost) -> float:
        return cost.of(lambda login: login.total) - sum(map(cost.of_stage, (*STAGES, DATABASE)))

    row("all frames and the login", lambda cost: cost.of(lambda login: login.total))
    for stage in (*STAGES, DATABASE):
        row(f"of it: {stage}", partial(Cost.of_stage, name=stage))
    row("of it: the rest, mostly Django's", rest)
    row("the login itself", lambda cost: cost.of(lambda login: login.answer))
    row("frames", lambda cost: cost.of(lambda login: len(login.frames)))
    row("one frame", lambda cost: cost.of(lambda login: median(login.frames)), 1)
    row("the page, besides", lambda cost: cost.of(lambda login: login.page))
    spread = ", ".join(
        f"{min(totals):.0f} to {max(totals):.0f}"
        for totals in ([login.total for login in each.logins] for each in costs)
    )
    print(f"\nSpread: {spread}. Target: at most {TARGET}, and {FRAME_TARGET} for one frame.")
    print(f"Before challenges became conversations, a login took {BEFORE} ms.")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.challenge", description=__doc__)
    parser.add_argument("--logins", type=int, default=LOGINS, metavar="N")
    report(measure(parser.parse_args().logins))


if __name__ == "__main__":
    main()
