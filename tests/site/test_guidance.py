from __future__ import annotations

import cv2
import numpy as np
import pytest
from django.contrib.sessions.models import Session

from faceauth.models import FaceChallenge
from faceauth.vision import Engine
from tests.support import drawings
from tests.support.webcam import empty_room, frame

FRAMES = "/face/frames/"


def jpeg(picture):
    return cv2.imencode(".jpg", picture)[1].tobytes()


def zoomed(picture, factor):
    height, width = picture.shape[:2]
    move = np.array([[factor, 0, width / 2 * (1 - factor)], [0, factor, height / 2 * (1 - factor)]])
    return cv2.warpAffine(picture, move, (width, height), borderMode=cv2.BORDER_REPLICATE)


@pytest.fixture
def advice(ask, upload, db):
    def get(picture, pose="straight", **fields):
        status, answer = ask(FRAMES, frame=upload(jpeg(picture)), pose=pose, **fields)
        assert status == 200
        assert answer["ok"] == (answer["code"] == "ok")
        assert answer["message"]
        return answer

    return get


@pytest.mark.real
@pytest.mark.parametrize("name", ["obama", "obama2", "biden", "astronaut"])
def test_face_that_sits_at_a_webcam_is_fine(advice, name):
    answer = advice(frame(name))
    assert (answer["code"], answer["faces"], answer["hint"]) == ("ok", 1, None)
    left, top, right, bottom = answer["face"]["box"]
    assert left < 0.5 < right
    assert top < 0.5 < bottom


def test_words_that_help(advice):
    picture = frame("obama")
    assert advice(empty_room())["code"] == "no_face"
    assert advice(empty_room())["face"] is None
    assert advice(np.zeros_like(picture))["code"] == "black"
    assert advice(zoomed(picture, 0.5))["code"] == "too_small"
    # Too small to be found, but to be seen.
    assert advice(zoomed(picture, 0.37))["code"] == "too_small"
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
    yaw = advice(frame("obama2"))["face"]["head_pose_yaw"]
    assert advice(frame("obama2")[:, ::-1])["face"]["head_pose_yaw"] == pytest.approx(
        -yaw, abs=0.06
    )


@pytest.mark.parametrize(
    ("pose", "instead"), [("straight", "turned"), ("left", "turn_left"), ("right", "turn_right")]
)
def test_leads_the_head_into_a_pose(advice, pose, instead):
    held = {
        name: advice(frame(f"obama {name}".removesuffix(" straight")), pose=pose)["code"]
        for name in ("straight", "left", "right")
    }
    assert held.pop(pose) == "ok"
    if pose != "straight":
        assert set(held.values()) == {instead}


def test_chin_is_lifted_from_where_it_was(advice):
    level = advice(frame("obama"))["face"]["head_pose_pitch"]
    assert advice(frame("obama"), pose="up", level=level)["code"] == "lift"
    assert advice(frame("obama up"), pose="up", level=level)["code"] == "ok"
    assert advice(frame("obama"), pose="up", level=level + 0.4)["code"] == "turned_too_far"
    # And comes down again.
    assert advice(frame("obama up"), level=level)["code"] == "turned"
    assert advice(frame("obama smile"), level=level)["code"] == "ok"


@pytest.mark.parametrize("level", ["", "nan", "inf", "low", "1e999"])
def test_pose_that_makes_no_sense_is_any_other(advice, level):
    assert advice(frame("obama"), pose="up", level=level)["code"] == "ok"
    assert advice(frame("obama"), pose="upside down", level=level)["code"] == "ok"


@pytest.mark.real
@pytest.mark.parametrize(
    ("drawn", "hint", "words"),
    [
        (drawings.with_dark_glasses, "dark_glasses", "Take off your sunglasses."),
        (drawings.with_mask, "covered", "Something covers your face."),
        (drawings.before_a_window, "backlit", "The light is behind you."),
    ],
    ids=["dark glasses", "mask", "backlit"],
)
def test_what_hides_a_face_is_said_and_refuses_nobody(advice, drawn, hint, words):
    answer = advice(drawn(frame("obama")))
    assert (answer["ok"], answer["hint"]) == (True, hint)
    assert answer["message"].startswith(words)
    # Whoever turns hears what to do with the head.
    assert advice(drawn(frame("obama left")), pose="left")["hint"] is None


def test_face_too_dark_before_a_window_turns_to_the_light(advice):
    answer = advice(drawings.before_a_window(frame("obama"), light=0.05))
    assert answer["code"] == "too_dark"
    assert answer["message"] == "The light is behind you. Turn towards the light."


def test_face_is_looked_for_where_it_was(advice, monkeypatch):
    box = advice(frame("obama"))["face"]["box"]
    monkeypatch.setattr(Engine, "find_faces", pytest.fail)
    found = advice(frame("obama"), near=",".join(map(str, box)))
    assert found["code"] == "ok"
    assert found["face"]["box"] == pytest.approx(box, abs=0.05)


@pytest.mark.parametrize(
    "near", ["0.7,0.7,0.9,0.9", "0,0,0,0", "x", "1,2,3", "nan,0,1,1", "9,9,9,9"]
)
def test_face_that_is_elsewhere_is_found_as_well(advice, near):
    assert advice(frame("obama"), near=near)["code"] == "ok"


def test_photo_may_be_turned_and_off_the_middle(advice):
    moved = np.roll(frame("obama"), 150, axis=1)
    assert advice(moved)["code"] == "off_centre"
    assert advice(moved, pose="photo")["code"] == "ok"
    assert advice(frame("obama left"), pose="photo")["code"] == "ok"


@pytest.mark.parametrize("value", [None, "auto"])
def test_nothing_is_kept(advice, settings, value):
    settings.FACEAUTH = {**settings.FACEAUTH, "CHALLENGE": value}
    assert advice(frame("obama"))["ok"]
    assert not FaceChallenge.objects.exists()
    assert not Session.objects.exists()
