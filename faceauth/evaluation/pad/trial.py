"""One attempt to log in as somebody, in front of the site of this process."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any, NamedTuple
from unittest import mock

import numpy as np
from django.conf import settings
from django.db import transaction
from django.test.utils import override_settings

from faceauth.evaluation import accounts
from faceauth.liveness import steps

from . import film_attacks
from .following import Attacker
from .portraits import Portrait
from .puppet_attacks import Actor
from .species import REPLAY, SPECIES, puppet_of
from .talk import Outcome, QuickClock, Reply, talk
from .targets import Target
from .visitor import Visitor

# Of the owner of a face whose answer is sent again, in seconds.
REACTION, MOVEMENT = 0.35, 0.5


class Attempt(NamedTuple):
    """An attempt and how it ended.

    Attributes:
        species: The index in `SPECIES`.
        kind: Of the challenge, "short" or "full".
        person: The name of the person attacked.
        live: The frames were taken for a live person.
        logged_in: Somebody was logged in.
        reason: Why not; "" if somebody was.
        cpu: Of the attempt, the attacker's part included, in seconds.
    """

    species: int
    kind: str
    person: str
    live: bool
    logged_in: bool
    reason: str
    cpu: float


class Task(NamedTuple):
    """The attempts on one person.

    Attributes:
        target: The person.
        other: A photo of somebody else, the attacker; None if there is none.
        attempts: The species, the kind of the challenge, and the seed of each.
    """

    target: Target
    other: Portrait | None
    attempts: Sequence[tuple[int, str, tuple[int, ...]]]


def run(task: Task) -> list[Attempt]:
    """Make all attempts on a person."""
    return [_attempt(task, *each) for each in task.attempts]


def _attempt(task: Task, index: int, kind: str, seed: tuple[int, ...]) -> Attempt:
    species, random = SPECIES[index], np.random.default_rng(seed)
    start = time.process_time()
    # Nothing remains of an attempt.
    with override_settings(FACEAUTH=_settings(kind)), transaction.atomic():
        username = accounts.create(task.target.name, task.target.template)
        if species.needs == REPLAY:
            outcome, reply = _replay(task.target, username, kind, random)
        else:
            attacker = species.make(task.target, task.other, random)
            outcome, reply = log_in(attacker, username)
        transaction.set_rollback(True)
    logged_in = reply is not None and bool(reply.user)
    reason = outcome.reason or ("" if logged_in else reply.code if reply else "")
    cpu = time.process_time() - start
    return Attempt(index, kind, task.target.name, outcome.passed, logged_in, reason, cpu)


def log_in(attacker: Attacker, username: str) -> tuple[Outcome, Reply | None]:
    """Answer a challenge and send the form of the login.

    Returns:
        How the conversation ended, and the answer to the form; None if it was not sent.
    """
    visitor, clock = Visitor(), QuickClock()
    with clock.installed():
        outcome = talk(visitor.frames, attacker.frame, clock, username=username)
    if not outcome.passed:
        return outcome, None
    return outcome, visitor.log_in({"challenge": outcome.challenge, "username": username})


def _replay(
    target: Target, username: str, kind: str, random: np.random.Generator
) -> tuple[Outcome, Reply | None]:
    """Send the frames of the owner's own login again, to a challenge that asks for the same."""
    asked = steps.draw(kind)
    owner = Actor(puppet_of(target.photo), random, REACTION, MOVEMENT)
    with mock.patch.object(steps, "draw", lambda kind: asked):
        outcome, reply = log_in(owner, username)
    if reply is None or not reply.user:
        reason = f"not at first: {outcome.reason or (reply.code if reply else '')}"
        return outcome._replace(passed=False, reason=reason), None
    alteration = film_attacks.Alteration(random)
    again = film_attacks.Replayed(outcome.frames, alteration)
    asked = [alteration.step(each) for each in asked]
    with mock.patch.object(steps, "draw", lambda kind: asked):
        return log_in(again, username)


def _settings(kind: str) -> dict[str, Any]:
    return {**settings.FACEAUTH, "CHALLENGE": kind}
