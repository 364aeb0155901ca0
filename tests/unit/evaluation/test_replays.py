"""Answers in a film, and the same answers shown again."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from faceauth.evaluation.pad import replays
from faceauth.evaluation.pad.rendering import encode_jpeg
from faceauth.evaluation.pad.replays import KINDS, Film
from tests.support.person import Person

pytestmark = [pytest.mark.real, pytest.mark.django_db]


@pytest.fixture(scope="module")
def film() -> Film:
    """A head that looks ahead and then turns to its left, at 16 frames a second."""
    person, times = Person("obama", reaction=0.6), [number / 16 for number in range(24)]
    frames = [encode_jpeg(person.frame_for("left", time)) for time in times]
    return Film("obama", frames, times)


def test_answer_in_a_film_is_found_and_known_again(film):
    found = replays.answers(film)
    assert {each.step for each in found} == {"left"}
    shown = [replays.shown_again(found[0], kind, np.random.default_rng(1)) for kind in KINDS]
    passed = [each for each in shown if each.take is not None]
    assert len(passed) > len(KINDS) / 2
    assert not list(replays.pairs(found))


def test_the_tables_count_films_and_pairs(film, monkeypatch):
    monkeypatch.setattr(replays, "read", lambda path: film)
    lines = list(replays.report([Path("one.mp4")], count=1))
    assert any(line.startswith("JPEG, quality 60") for line in lines)
    assert lines[0].startswith("A login is taken for a film")


def test_what_is_no_film_is_told(tmp_path):
    path = tmp_path / "film.mp4"
    path.write_bytes(b"no film")
    with pytest.raises(ValueError, match="not a readable video"):
        replays.read(path)
