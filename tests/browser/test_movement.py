"""Which frames of a movement are sent, and when a turn counts: the page's own sums."""

from __future__ import annotations

from itertools import groupby, pairwise
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Page

from tests.support.browsing import Visitors

TURNED, MIDDLE = 0.25, 0.1

# Frames are numbers here: what they show is of no matter.
CHOOSE = """async ({frames, turns, limit}) => {
    const { FrameSelection } = await import("/static/faceauth/frame-selection.js");
    const selection = new FrameSelection();
    for (const [picture, { yaw, change, mark }] of frames.entries()) {
        selection.add(picture, 100 * picture, change);
        if (yaw !== undefined) selection.measure(picture, yaw);
        if (mark) selection.endTurn();
    }
    const offset = (yaw, turn) => turns[turn] === "left" ? yaw : -yaw;
    const chosen = selection.choose(offset, limit).map(({picture}) => picture);
    return { chosen, kept: selection.length };
}"""

FOLLOW = """async ({turns, yaws}) => {
    const { HeadTurns } = await import("/static/faceauth/head-turns.js");
    const followed = new HeadTurns({ turns, turned: 0.25, middle: 0.1 }, 0.05);
    const done = [];
    for (const yaw of yaws) {
        if (followed.step) done.push(followed.feed(yaw + 0.05));
    }
    return { done, all: !followed.step };
}"""


@pytest.fixture
def page(visitors: Visitors) -> Page:
    return visitors.open("/", camera="missing")


def filmed(turns: list[str], *, straight: int, measured: int) -> tuple[list[float], list[Any]]:
    """The yaw of each frame of these turns, and what the page knows: every so many frames' yaw."""
    random = np.random.default_rng(0)
    away = 0.35 * (1 - np.cos(np.linspace(0, np.pi, 8))) / 2
    yaws, ends = [0.0] * straight, []
    for turn in turns:
        side = 1 if turn == "left" else -1
        yaws += [side * each for each in (*away, *away[::-1])]
        yaws += [0.0] * straight
        # On to the next frame that is measured.
        ends.append(-(-(len(yaws) - straight // 2) // measured) * measured)
    seen = (np.array(yaws) + random.normal(0, 0.008, len(yaws))).tolist()
    changes = 10 * np.abs(np.diff(yaws, prepend=0)) + 0.02
    frames: list[dict[str, Any]] = [{"change": change} for change in changes.tolist()]
    for i in range(0, len(frames), measured):
        frames[i] |= {"yaw": seen[i], "mark": i in ends}
    return yaws, frames


@pytest.mark.parametrize("turns", [["left", "right"], ["right", "right"]], ids="-".join)
@pytest.mark.parametrize("measured", [1, 3, 5])
@pytest.mark.parametrize("straight", [10, 400])
def test_frames_span_the_movement_in_even_steps(page: Page, turns, measured, straight):
    yaws, frames = filmed(turns, straight=straight, measured=measured)
    answer = page.evaluate(CHOOSE, {"frames": frames, "turns": turns, "limit": 12})
    chosen = answer["chosen"]
    assert chosen == sorted(set(chosen))
    assert len(chosen) == 12
    assert answer["kept"] <= 240

    shown = [yaws[i] for i in chosen]
    assert abs(shown[0]) < 0.05 > abs(shown[-1])
    assert [place for place, _ in groupby(map(place_of, shown)) if place != "between"] == [
        "middle",
        turns[0],
        "middle",
        turns[1],
        "middle",
    ]
    assert max(abs(one - other) for one, other in pairwise(shown)) < 0.25


def place_of(yaw: float) -> str:
    if abs(yaw) < MIDDLE / 2:
        return "middle"
    return "between" if abs(yaw) < TURNED else "left" if yaw > 0 else "right"


def test_yaw_between_two_measures_follows_the_picture(page: Page):
    still, moving = {"change": 0.0}, {"change": 5.0}
    frames = [still | {"yaw": 0.0}, still, still, still, moving, moving | {"yaw": 0.3}]
    frames.append(moving | {"yaw": 0.0, "mark": True})
    answer = page.evaluate(CHOOSE, {"frames": frames, "turns": ["left"], "limit": 4})
    # The head was held still at first: half of the turn is where the picture changes.
    assert answer["chosen"] == [0, 4, 5, 6]


def test_frames_near_one_without_a_face_are_not_sent(page: Page):
    yaws: list[Any] = [0.0, ..., 0.2, 0.3, ..., None, ..., 0.3, 0.1, 0.0]
    frames = [{"change": 1.0} if yaw is ... else {"change": 1.0, "yaw": yaw} for yaw in yaws]
    frames[-1]["mark"] = True
    answer = page.evaluate(CHOOSE, {"frames": frames, "turns": ["left"], "limit": 12})
    assert answer["chosen"] == [0, 1, 2, 3, 7, 8, 9]


@pytest.mark.parametrize(
    ("turns", "yaws", "done"),
    [
        # Seen twice in the middle, or on the way through it.
        (["left"], [0, 0.2, 0.26, 0.3, 0.05, 0], "on on done on on done"),
        (["right"], [0, -0.2, -0.26, 0.05, 0], "on on done on done"),
        (["left"], [0, -0.1, -0.2], "on on wrong"),
        (["left"], [0.26, 0, 0.2, 0, -0.12], "done on on on done"),
        (["left", "right"], [0.26, 0, -0.2, -0.3, 0, 0], "done on done done on done"),
        (["left"], [0.26, 0.15, -0.2], "done on wrong"),
        (["left", "left"], [0.26, 0, 0, 0.1, 0.26, 0, 0], "done on done on done on done"),
        (["left", "right"], [0.26, 0, 0, 0.1, 0.26], "done on done on wrong"),
    ],
)
def test_turn_counts_once_the_head_is_back(page: Page, turns, yaws, done):
    answer = page.evaluate(FOLLOW, {"turns": turns, "yaws": yaws})
    assert answer["done"] == done.split()
    assert answer["all"] == (done.split().count("done") == 2 * len(turns))
