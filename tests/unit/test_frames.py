"""Frames of a conversation: analysed where the face was, bounded like other pictures."""

from __future__ import annotations

import time

import cv2
import numpy as np
import pytest

from faceauth import errors
from faceauth.capture import samples
from tests.support.webcam import FACE_SHARE, HEIGHT, WIDTH, frame, turned

pytestmark = pytest.mark.real


def jpeg(picture):
    return cv2.imencode(".jpg", picture)[1].tobytes()


def shares(sample):
    height, width = sample.image.shape[:2]
    left, top, right, bottom = sample.faces[0].box
    return left / width, top / height, right / width, bottom / height


@pytest.fixture(scope="module")
def first():
    return samples.analyse_frame(jpeg(frame("obama")))


@pytest.fixture(scope="module")
def aside():
    return jpeg(turned("obama", 0.35))


@pytest.fixture
def detector(monkeypatch, first, aside):
    """How often the whole frame is looked over."""
    looks = []
    engine = type(samples.engine())
    find = engine.find_faces
    monkeypatch.setattr(
        engine, "find_faces", lambda *args, **options: looks.append(1) or find(*args, **options)
    )
    return looks


def test_the_first_frame_is_looked_over(first):
    assert len(first.faces) == 1
    assert first.problem() is None
    assert abs(first.head.yaw) < 10
    assert first.mesh.presence > 15


def test_the_next_one_is_analysed_where_the_face_was(first, aside, detector):
    sample = samples.analyse_frame(aside, shares(first))
    assert not detector
    assert sample.faces[0].is_same_as(first.faces[0])
    assert sample.head.yaw > first.head.yaw + 10
    assert sample.quality.head_size > 100


@pytest.mark.parametrize(
    "near", [(0.0, 0.0, 0.2, 0.2), (0.8, 0.8, 1.2, 1.3), (0.5, 0.5, 0.5, 0.5), (-3, -3, -2, -2)]
)
def test_a_face_that_is_elsewhere_is_found(first, near, detector):
    sample = samples.analyse_frame(jpeg(frame("obama")), near)
    assert detector
    assert sample.faces[0].is_same_as(first.faces[0])
    assert sample.head.yaw == pytest.approx(first.head.yaw, abs=2)


@pytest.mark.parametrize(
    "near",
    [
        (0.9, 0.9, 0.1, 0.1),
        (float("nan"), 0, 1, 1),
        (float("-inf"), 0, float("inf"), 1),
        (-1e300, -1e300, 1e300, 1e300),
        (0, 0, 1, 1e-9),
    ],
)
def test_a_place_that_is_none_is_no_place_to_look(near):
    assert len(samples.analyse_frame(jpeg(frame("obama")), near).faces) == 1


def test_nobody(detector):
    empty = jpeg(np.full((HEIGHT, WIDTH, 3), 120, np.uint8))
    for near in (None, (0.3, 0.2, 0.7, 0.8)):
        sample = samples.analyse_frame(empty, near)
        assert (sample.faces, sample.mesh, sample.head, sample.quality) == ([], None, None, None)
        assert isinstance(sample.problem(), errors.NoFace)


def test_a_face_beside_is_noticed_if_asked_for(first):
    two = np.concatenate([frame("obama"), frame("biden")], axis=1)
    two = jpeg(cv2.resize(two, (960, 360)))
    left, top, right, bottom = shares(first)
    near = (left / 2, top, right / 2, bottom)
    assert len(samples.analyse_frame(two, near).faces) == 1
    both = samples.analyse_frame(two, near, beside=True)
    assert len(both.faces) == 2
    assert both.faces[0].box[2] < both.image.shape[1] / 2
    assert isinstance(both.problem(), errors.SeveralFaces)


def test_large_frames_are_scaled_down(settings):
    settings.FACEAUTH = {**settings.FACEAUTH, "MAX_FRAME_PIXELS": 5_000_000}
    settings.FACEAUTH["MAX_FRAME_BYTES"] = 5_000_000
    large = jpeg(cv2.resize(frame("obama"), (2560, 1920)))
    for sample in (samples.analyse_frame(large), samples.analyse_small(large)):
        assert sample.image.shape == (600, 800, 3)
        assert abs(sample.head.yaw) < 10


def smaller(share):
    """Return a frame in which the face takes that share of the height."""
    factor = share / FACE_SHARE
    move = np.array([[factor, 0, WIDTH / 2 * (1 - factor)], [0, factor, HEIGHT / 2 * (1 - factor)]])
    size = (WIDTH, HEIGHT)
    return jpeg(cv2.warpAffine(frame("obama"), move, size, borderMode=cv2.BORDER_REPLICATE))


@pytest.mark.parametrize(
    ("share", "found", "far"),
    [(0.4, 1, False), (0.3, 1, False), (0.25, 1, False), (0.18, 0, True), (0.06, 0, False)],
)
def test_face_of_a_frame_is_found_from_a_quarter_of_it_and_seen_from_a_sixth(share, found, far):
    sample = samples.analyse_frame(smaller(share))
    assert (len(sample.faces), sample.is_far) == (found, far)


def test_picture_to_log_in_with_may_have_a_smaller_face():
    assert len(samples.analyse_small(smaller(0.19)).faces) == 1


def test_nobody_costs_little():
    """Less than a quarter of what an enrolment takes to search a picture of the same size."""
    empty = np.full((600, 800, 3), 120, np.uint8)
    data = jpeg(empty)

    def frame_of_nobody():
        assert not samples.analyse_frame(data).is_far

    def picture_of_nobody():
        assert not samples.analyse_picture(data).faces

    assert 4 * cost(frame_of_nobody) < cost(picture_of_nobody)


def cost(work):
    """Return the least CPU time that it takes, in seconds."""
    times = []
    for _ in range(3):
        began = time.thread_time()
        work()
        times.append(time.thread_time() - began)
    return min(times)


@pytest.mark.parametrize("shape", [(1, 1), (1, 2000), (40, 40)])
def test_tiny_frames_have_no_face(shape):
    tiny = jpeg(np.full((*shape, 3), 120, np.uint8))
    assert samples.analyse_frame(tiny, (0, 0, 1, 1)).faces == []


def test_frames_are_bounded_like_other_pictures(settings):
    settings.FACEAUTH = {**settings.FACEAUTH, "MAX_FRAME_PIXELS": 100_000}
    with pytest.raises(errors.TooLarge):
        samples.analyse_frame(jpeg(frame("obama")))
    settings.FACEAUTH = {**settings.FACEAUTH, "MAX_FRAME_BYTES": 1000}
    with pytest.raises(errors.TooLarge):
        samples.analyse_frame(jpeg(frame("obama")))
    with pytest.raises(errors.BadImage):
        samples.analyse_frame(b"")
    with pytest.raises(errors.UnsupportedType):
        samples.analyse_frame(b"not a picture")
