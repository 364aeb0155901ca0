"""Frames of a conversation: analysed where the face was, bounded like other pictures."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from faceauth import errors
from faceauth.capture import samples
from tests.support.webcam import HEIGHT, WIDTH, frame, turned

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
    two = jpeg(np.concatenate([frame("obama"), frame("biden")], axis=1))
    left, top, right, bottom = shares(first)
    near = (left / 2, top, right / 2, bottom)
    assert len(samples.analyse_frame(two, near).faces) == 1
    both = samples.analyse_frame(two, near, beside=True)
    assert len(both.faces) == 2
    assert both.faces[0].is_same_as(first.faces[0])
    assert isinstance(both.problem(), errors.SeveralFaces)


def test_large_frames_are_scaled_down():
    large = jpeg(cv2.resize(frame("obama"), (2560, 1920)))
    sample = samples.analyse_frame(large)
    assert sample.image.shape == (960, 1280, 3)
    assert abs(sample.head.yaw) < 10


@pytest.mark.parametrize("shape", [(1, 1), (1, 2000), (40, 40)])
def test_tiny_frames_have_no_face(shape):
    tiny = jpeg(np.full((*shape, 3), 120, np.uint8))
    assert samples.analyse_frame(tiny, (0, 0, 1, 1)).faces == []


def test_frames_are_bounded_like_other_pictures(settings):
    settings.FACEAUTH = {**settings.FACEAUTH, "MAX_IMAGE_PIXELS": 100_000}
    with pytest.raises(errors.TooLarge):
        samples.analyse_frame(jpeg(frame("obama")))
    settings.FACEAUTH = {**settings.FACEAUTH, "MAX_SNAPSHOT_BYTES": 1000}
    with pytest.raises(errors.TooLarge):
        samples.analyse_frame(jpeg(frame("obama")))
    with pytest.raises(errors.BadImage):
        samples.analyse_frame(b"")
    with pytest.raises(errors.UnsupportedType):
        samples.analyse_frame(b"not a picture")
