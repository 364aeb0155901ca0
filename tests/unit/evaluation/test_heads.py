"""True movements of heads in films, and how often they are refused."""

from __future__ import annotations

import math
from collections.abc import Iterable
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from faceauth.evaluation.pad import heads
from faceauth.evaluation.pad.heads import Film, Head, attempts, lines, measure, passes
from faceauth.evaluation.pad.rendering import Image as Pixels
from faceauth.liveness.sightings import Sighting
from faceauth.liveness.steps import CLOSER
from faceauth.vision import Engine
from tests.support.person import puppet

RATE = 12.5  # frames a second


def seen(*legs: tuple[float, float, float], begin: tuple[float, float] = (0, 5)) -> list[Sighting]:
    """Return a head that rests for a second before each turn: (to yaw, to pitch, seconds)."""
    path: list[tuple[float, float]] = []
    here = np.array(begin, float)
    for yaw, pitch, seconds in legs:
        path += [tuple(here)] * round(RATE)
        steps = max(1, round(RATE * seconds))
        there = np.array((yaw, pitch), float)
        path += [tuple(here + (there - here) * n / steps) for n in range(1, steps + 1)]
        here = there
    path += [tuple(here)] * round(2 * RATE)
    return [
        Sighting(n / RATE, yaw, pitch, 0.95, 0.0, 0.5, 0.5, 0.5)
        for n, (yaw, pitch) in enumerate(path)
    ]


def film(folder: Path, name: str, frames: Iterable[Pixels]) -> None:
    small = [Image.fromarray(cv2.resize(each, (480, 360))) for each in frames]
    # No frame is like the one before, or the file has one for both.
    for number, each in enumerate(small):
        each.paste((255, 255, 255) if number % 2 else (0, 0, 0), (0, 0, 40, 40))
    small[0].save(
        folder / f"{name}.gif", save_all=True, append_images=small[1:], duration=80, loop=0
    )


def test_each_clear_movement_from_rest_is_an_attempt_at_the_step_of_its_direction():
    found = {
        (attempt.movement, attempt.step)
        for attempt in attempts(seen((18, 5, 0.5), (0, 5, 0.5), (-2, 20, 0.5)))
    }
    assert found == {(0, "left"), (1, "right"), (2, "up")}
    assert list(attempts(seen((6, 5, 0.3)))) == []  # too small
    assert list(attempts(seen((18, 5, 4.0)))) == []  # too slow
    assert list(attempts(seen((40, 5, 0.5), begin=(27, 5)))) == []  # not from ahead
    assert list(attempts([])) == []


def test_movement_that_goes_another_way_first_is_an_attempt_at_nothing():
    turning = seen((0, 17, 0.4))
    begin = next(n for n, each in enumerate(turning) if each.pitch > 15)
    turning[begin:] = [
        each._replace(yaw=min(40.0, 7.0 * n), pitch=17.0) for n, each in enumerate(turning[begin:])
    ]
    assert list(attempts(turning)) == []


def test_attempt_is_what_the_page_would_have_sent():
    (first, *_) = attempts(seen((18, 5, 0.5)))
    since = [each.at - first.rest.at for each in first.seen]
    assert since[0] == 0 and max(np.diff(since)) == pytest.approx(1 / heads.RATE, abs=0.01)
    moved = next(at for at, each in zip(since, first.seen, strict=True) if each.yaw > 2)
    assert moved >= heads.REACTION
    assert passes(first)
    assert not passes(first._replace(step="right"))


def test_report_tells_head_by_head_what_is_refused():
    good, bad = Head("good"), Head("bad")
    good.add(Film("one", seen((18, 5, 0.5), (0, 5, 0.5))))
    squeezed = [
        each._replace(squeeze=0.95 - 0.2 * (math.hypot(each.yaw, each.pitch - 5) > 8))
        for each in seen((18, 5, 0.5))
    ]
    bad.add(Film("two", squeezed))
    assert (good.movements, good.bpcer, bad.movements, bad.bpcer) == (2, 0.0, 1, 1.0)
    assert Head("nobody").bpcer is None
    report = list(lines([good, bad]))
    assert report[2].split()[:1] == ["bad"] and "100.0%" in report[2]
    assert report[3].split()[:1] == ["good"] and "0.0%" in report[3]
    assert "Worst of 2 heads: 100.0%" in report


def test_head_that_goes_on_looking_ahead_is_at_rest_and_not_wrong():
    head = Head("talking")
    long = [
        Sighting(n / 25, math.sin(n / 9), 5 + 2 * math.sin(n / 5), 0.95, 0.0, 0.5, 0.5, 0.5)
        for n in range(250)
    ]
    head.add(Film("one", long))
    assert head.starts > 5 and head.late == 0
    assert head.asked == 9 * head.starts and head.wrong == 0


def test_films_in_a_folder_are_followed_and_judged_person_by_person(tmp_path):
    head = puppet("obama")
    turn = [0.0] * 12 + [3.0 * n for n in range(1, 7)] + [18.0] * 4
    (tmp_path / "obama").mkdir()
    film(tmp_path / "obama", "turns", (head.frame(yaw=yaw) for yaw in turn))
    near = [1.0] * 12 + [1 + 0.08 * n for n in range(1, 6)] + [1.4] * 4
    film(tmp_path, "comes closer", (head.frame(nearer=nearer) for nearer in near))
    (tmp_path / "notes.txt").write_text("no film")
    engine = Engine()
    closer, obama = measure(engine, tmp_path)
    assert (closer.person, obama.person) == ("comes closer", "obama")
    assert obama.films == ["turns", "turns, mirrored"]
    assert (obama.movements, obama.bpcer, obama.flat) == (2, 0.0, 0)
    assert (closer.movements, closer.bpcer) == (2, 0.0)
    (path,) = (tmp_path / "obama").iterdir()
    plain, mirrored = (heads.watch(engine, path, mirror=mirror).seen for mirror in (False, True))
    assert {each.step for each in attempts(plain)} == {"left"}
    assert {each.step for each in attempts(mirrored)} == {"right"}
    (path,) = tmp_path.glob("*.gif")
    assert {each.step for each in attempts(heads.watch(engine, path).seen)} == {CLOSER}


def test_file_that_is_no_film(tmp_path):
    for name in ("broken.gif", "broken.mp4"):
        (tmp_path / name).write_bytes(b"no film")
        with pytest.raises(ValueError, match="broken"):
            heads.watch(Engine(), tmp_path / name)
