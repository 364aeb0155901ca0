from __future__ import annotations

import cv2
import numpy as np
import pytest

from tests.support.webcam import empty_room, frame

PREVIEW = "/face/preview/"


def jpeg(picture):
    return cv2.imencode(".jpg", picture)[1].tobytes()


def zoomed(picture, factor):
    height, width = picture.shape[:2]
    move = np.array([[factor, 0, width / 2 * (1 - factor)], [0, factor, height / 2 * (1 - factor)]])
    return cv2.warpAffine(picture, move, (width, height), borderMode=cv2.BORDER_REPLICATE)


@pytest.fixture
def advice(ask, upload, db):
    def get(picture):
        status, answer = ask(PREVIEW, snapshot=upload(jpeg(picture)))
        assert status == 200
        assert answer["ok"] == (answer["code"] == "ok")
        assert answer["message"]
        return answer

    return get


@pytest.mark.parametrize("name", ["obama", "obama2", "biden", "astronaut"])
def test_face_that_sits_at_a_webcam_is_fine(advice, name):
    answer = advice(frame(name))
    assert (answer["code"], answer["faces"]) == ("ok", 1)
    left, top, right, bottom = answer["face"]["box"]
    assert left < 0.5 < right
    assert top < 0.5 < bottom


def test_words_that_help(advice):
    picture = frame("obama")
    assert advice(empty_room())["code"] == "no_face"
    assert advice(empty_room())["face"] is None
    assert advice(zoomed(picture, 0.5))["code"] == "too_small"
    assert advice(zoomed(picture, 2.0))["code"] == "too_close"
    assert advice(np.roll(picture, 190, axis=1))["code"] == "off_centre"
    assert advice((picture * 0.1).astype(np.uint8))["code"] == "too_dark"
    assert advice(cv2.GaussianBlur(picture, (0, 0), 9))["code"] == "blurred"


def test_two_faces(advice):
    half = slice(140, 500)
    both = np.hstack([frame("obama")[:, half], frame("biden")[:, half]])
    answer = advice(both)
    assert (answer["code"], answer["faces"]) == ("several_faces", 2)


def test_mirrored_face_turns_the_other_way(advice):
    yaw = advice(frame("obama2"))["face"]["yaw"]
    assert advice(frame("obama2")[:, ::-1])["face"]["yaw"] == pytest.approx(-yaw, abs=0.06)
