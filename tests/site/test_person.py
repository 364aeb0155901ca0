"""The scripted person of the tests passes challenges as a real one does."""

from __future__ import annotations

import pytest

from faceauth.liveness import steps
from tests.support.person import Person, conversation

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def full(settings):
    settings.FACEAUTH = {**settings.FACEAUTH, "CHALLENGE": "full"}


@pytest.mark.parametrize(
    ("name", "step"),
    [
        *(("obama", step) for step in (*steps.DIRECTIONS, steps.CLOSER)),
        ("biden", "left_up"),
        ("astronaut", "down"),
    ],
)
def test_each_step_is_made(client, monkeypatch, name, step):
    other = "left" if "right" in step else "right_down"
    asked = [step, other] if step == steps.CLOSER else [step]
    monkeypatch.setattr(steps, "draw", lambda kind: list(asked))
    outcome = conversation(client, person=Person(name, seed=1))
    assert (outcome.passed, outcome.reason) == (True, "")
    assert list(outcome.steps) == asked
    assert outcome.seconds < 1.5 * len(asked) + 0.5
