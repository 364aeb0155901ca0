from __future__ import annotations

import math

import pytest

from faceauth.evaluation.pad.puppet import Puppet
from faceauth.evaluation.pad.rendering import HEIGHT, WIDTH, encode_jpeg
from faceauth.liveness.steps import CLOSER, DIRECTIONS, LONGEST
from faceauth.vision import Engine, decode_image
from faceauth.vision.head_pose import head_pose
from tests.support.faces import Faces
from tests.support.person import NEARER, TURN, Person, puppet

NAMES = ("obama", "biden", "astronaut")


@pytest.fixture(scope="module")
def engine():
    return Engine()


@pytest.fixture(scope="module")
def seen(engine):
    """Return how a picture's one face is held."""

    def pose(image):
        (face,) = engine.find_faces(image)
        return head_pose(engine.mesh(image, face).points)

    return pose


@pytest.mark.parametrize("name", NAMES)
def test_photo_turns_as_far_as_it_is_asked_to(name, seen):
    head = puppet(name)
    rest = seen(head.frame())
    for left, up in DIRECTIONS.values():
        found = seen(head.frame(TURN * left, TURN * up))
        assert found.yaw - rest.yaw == pytest.approx(TURN * left, abs=7)
        assert found.pitch - rest.pitch == pytest.approx(TURN * up, abs=7)


@pytest.mark.parametrize("name", NAMES)
def test_photo_comes_closer_and_moves_about(name, seen):
    head = puppet(name)
    rest, near = seen(head.frame()), seen(head.frame(nearer=NEARER))
    assert near.size / rest.size == pytest.approx(NEARER, rel=0.04)
    assert math.hypot(near.yaw - rest.yaw, near.pitch - rest.pitch) < 3
    aside = seen(head.frame(x=0.1, y=-0.05))
    assert aside.x - rest.x == pytest.approx(0.1 * WIDTH, abs=7)
    assert aside.y - rest.y == pytest.approx(-0.05 * HEIGHT, abs=7)


def test_chin_is_raised_and_the_head_turned_where_a_viewer_sees_it(engine):
    head = puppet("obama")

    def nose(image):
        (face,) = engine.find_faces(image)
        return face.landmarks[4] - face.landmarks[:4].mean(axis=0)

    ahead = nose(head.frame())
    assert nose(head.frame(15))[0] > ahead[0] + 5
    assert nose(head.frame(0, 15))[1] < ahead[1] - 5


def test_turned_head_is_still_the_person(engine):
    head = puppet("obama")

    def encoding(image):
        return engine.encode(image, engine.find_faces(image)[0])

    own = encoding(decode_image(Faces()["obama2"]))
    for turn in ((0, 0), (TURN, 0), (0, -TURN)):
        distance = float(((encoding(head.frame(*turn)) - own) ** 2).sum() ** 0.5)
        assert distance < 0.6


def test_photo_without_a_face_makes_no_puppet(engine):
    with pytest.raises(ValueError, match="no face"):
        Puppet(decode_image(Faces()["obama"])[:100, :100].copy(), engine)


def test_person_does_what_is_asked_in_less_time_than_there_is(seen):
    person = Person("astronaut")
    rest = seen(person.frame_for("", 0))
    assert abs(seen(person.frame_for("", 0.1)).yaw - rest.yaw) < 3
    early = seen(person.frame_for("left", 0.3))
    assert abs(early.yaw - rest.yaw) < 3
    turned = seen(person.frame_for("left", 0.9))
    assert turned.yaw - rest.yaw == pytest.approx(TURN, abs=7)
    # And goes on from there, without a way back to the middle.
    begun = seen(person.frame_for("up", 0.3))
    assert begun.yaw - rest.yaw == pytest.approx(TURN, abs=7)
    raised = seen(person.frame_for("up", 0.9))
    assert raised.pitch - rest.pitch == pytest.approx(TURN, abs=7)
    near = seen(person.frame_for(CLOSER, LONGEST))
    assert near.size / rest.size == pytest.approx(NEARER, rel=0.06)


def test_no_two_frames_of_a_person_are_the_same():
    person = Person("obama")
    assert encode_jpeg(person.frame_for("", 1)) != encode_jpeg(person.frame_for("", 1))
