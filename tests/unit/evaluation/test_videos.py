from __future__ import annotations

import cv2
import numpy as np
import pytest
from PIL import Image

from faceauth.evaluation.pad.video_attacks import wrong_order
from faceauth.evaluation.pad.videos import (
    TurnLimits,
    choose,
    excerpts,
    follow,
    read,
    relight,
    track,
)
from faceauth.vision import Engine
from tests.support.films import turning

LIMITS = TurnLimits(turned=0.2, middle=0.1)


@pytest.fixture(scope="module")
def engine():
    return Engine()


@pytest.fixture(scope="module")
def video(tmp_path_factory, engine):
    """A person who turns to their left and to their right, once, at ten frames per second."""
    folder = tmp_path_factory.mktemp("videos") / "obama"
    turning(folder, "obama", "left", "right")
    return track(engine, read(folder))


def test_turns_are_followed_from_the_middle_and_back():
    assert follow([0, 0.1, 0.3, 0.1, 0, 0], LIMITS) == (["left"], [3], True)
    # Looking straight ahead is not the same yaw with everybody.
    assert follow([0.2, 0.5, 0.2, -0.1, 0.2, 0.2], LIMITS) == (["left", "right"], [2, 4], True)
    assert follow([0, 0.3, 0.2, 0.3, 0, 0], LIMITS) == (["left"], [4], True)
    assert follow([0, 0.3, 0, 0.3, 0, 0], LIMITS) == (["left", "left"], [2, 4], True)


def test_head_that_is_not_back_has_not_answered():
    assert follow([0, 0.3, 0.15], LIMITS) == (["left"], [], False)
    assert follow([0, 0.3, 0.15, 0.05], LIMITS) == (["left"], [3], False)
    assert follow([0, 0.3, -0.3, 0, 0], LIMITS)[2] is False
    assert follow([0, 0.1, 0.15, 0], LIMITS) == ([], [], False)


def test_chosen_frames_span_the_movement_in_even_steps():
    way = np.concatenate([np.linspace(0, 1, 40), np.linspace(1, -1, 80), np.linspace(-1, 0, 40)])
    chosen = choose(list(0.4 * way), ["left", "right"], [80, 159])
    assert len(chosen) == 12
    yaws = 0.4 * way[chosen]
    assert (yaws.max(), yaws.min()) == (0.4, -0.4)
    assert abs(yaws[0]) < 0.02 and abs(yaws[-1]) < 0.02
    assert np.abs(np.diff(yaws)).max() < 0.21


def test_parts_of_a_video_that_answer_a_challenge(engine, video):
    limits = TurnLimits(turned=0.15, middle=0.08)
    found = excerpts(video, 2, limits)
    assert {part.turns for part in found} == {("left", "right")}
    assert {part.rate for part in found} == {5, 10}
    for part in found:
        assert 5 <= len(part.frames) <= 12
        assert part.yaws.max() - part.yaws[0] >= 0.15
        assert part.yaws[0] - part.yaws.min() >= 0.15
        assert abs(part.yaws[-1] - part.yaws[0]) <= 0.08
    assert {part.turns for part in excerpts(video, 1, limits)} == {("left",), ("right",)}
    assert excerpts(video, 3, limits) == []
    mirrored = video.mirrored(engine)
    assert {part.turns for part in excerpts(mirrored, 2, limits)} == {("right", "left")}


def test_head_that_does_not_turn_as_far_answers_nothing(video):
    assert excerpts(video, 2, TurnLimits(turned=0.6, middle=0.08)) == []


def test_relit_frames_show_the_same_head(engine, video):
    (part, *_) = excerpts(video, 2, TurnLimits(0.15, 0.08))
    for seed in range(3):
        changed = relight(part.frames, np.random.default_rng(seed))
        assert len({frame.shape for frame in changed}) == 1
        found = [engine.find_faces(frame)[0].yaw for frame in changed]
        assert found == pytest.approx(part.yaws, abs=0.08)
    assert not np.array_equal(changed[0], part.frames[0])


def test_wrong_order_is_never_the_right_one(video):
    (part, *_) = excerpts(video, 2, TurnLimits(0.15, 0.08))
    for seed in range(6):
        right = relight(part.frames, np.random.default_rng(seed))
        wrong = wrong_order(part, np.random.default_rng(seed))
        assert len(wrong) == len(right)
        assert not np.array_equal(wrong[0], right[0]) or not np.array_equal(wrong[1], right[1])


def test_animation_is_read_with_its_times(tmp_path):
    pictures = [Image.new("RGB", (320, 200), (40 * n, 90, 90)) for n in range(4)]
    pictures[0].save(
        tmp_path / "a.gif", save_all=True, append_images=pictures[1:], duration=[100, 200, 100, 50]
    )
    film = read(tmp_path / "a.gif")
    assert film.times.tolist() == pytest.approx([0, 0.1, 0.3, 0.4])
    # As large as the page sends them.
    assert [frame.shape for frame in film.frames] == [(400, 640, 3)] * 4


def test_video_is_read_with_its_rate(tmp_path):
    path = str(tmp_path / "a.avi")
    film = cv2.VideoWriter(path, cv2.VideoWriter.fourcc(*"MJPG"), 20, (320, 240))
    for n in range(6):
        film.write(np.full((240, 320, 3), (30 * n, 60, 200), np.uint8))
    film.release()
    found = read(tmp_path / "a.avi")
    assert found.times.tolist() == pytest.approx([0, 0.05, 0.1, 0.15, 0.2, 0.25])
    # Red stays red.
    assert found.frames[0][0, 0].tolist() == pytest.approx([200, 60, 0], abs=8)


@pytest.mark.parametrize("name", ["a.gif", "a.mp4", "empty"])
def test_unreadable_video_is_named_in_the_error(tmp_path, name):
    path = tmp_path / name
    if name == "empty":
        path.mkdir()
    else:
        path.write_bytes(b"not a video")
    with pytest.raises(ValueError, match=name):
        read(path)
