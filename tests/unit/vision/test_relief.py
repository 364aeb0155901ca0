"""A face that turns has relief; a picture of one does not, however it is tilted or bent."""

from __future__ import annotations

import numpy as np
import pytest

from faceauth.evaluation.pad.rendering import (
    Bend,
    Pose,
    Sheet,
    add_noise,
    render_bent,
    render_flat,
    rotation_about,
)
from faceauth.vision import Engine, decode_image
from faceauth.vision.head_pose import head_pose
from faceauth.vision.relief import Relief, relief, still
from tests.support.faces import Faces
from tests.support.person import puppet

NAMES = ("obama", "biden", "astronaut")
GREY = np.full((480, 640, 3), 110, np.uint8)


@pytest.fixture(scope="module")
def engine():
    return Engine()


@pytest.fixture(scope="module")
def compare(engine):
    """Return the relief that shows between two frames."""

    def relief_of(rest, turned) -> Relief:
        random = np.random.default_rng(0)
        rest, turned = add_noise(rest, random), add_noise(turned, random)
        (face,) = engine.find_faces(rest)
        before = engine.mesh(rest, face)
        after = engine.mesh(turned, before.points)
        one, other = head_pose(before.points), head_pose(after.points)
        turn = other.yaw - one.yaw, other.pitch - one.pitch
        return relief(still(rest, before.points), still(turned, after.points), turn)

    return relief_of


@pytest.fixture(scope="module")
def sheets(engine):
    def sheet(name):
        image = decode_image(Faces()[name])
        face = engine.find_faces(image)[0]
        left, top, right, bottom = face.box
        return Sheet(image, ((left + right) / 2, (top + bottom) / 2), face.size)

    return {name: sheet(name) for name in NAMES}


@pytest.mark.parametrize("turn", [(14, 0), (-14, 0), (0, 14), (10, -10)])
@pytest.mark.parametrize("name", NAMES)
def test_head_has_relief(name, turn, compare):
    head = puppet(name)
    assert compare(head.frame(), head.frame(*turn)).is_head


@pytest.mark.parametrize("axis", [(0, 1, 0), (1, 0, 0), (1, 1, 0)])
@pytest.mark.parametrize("name", NAMES)
def test_picture_that_is_tilted_has_none(name, axis, compare, sheets):
    def shown(degrees):
        return render_flat(sheets[name], Pose(rotation_about(axis, np.radians(degrees))), GREY)

    found = compare(shown(-25), shown(25))
    assert not found.is_head
    assert found.depth < 0.25


@pytest.mark.parametrize("name", NAMES)
def test_head_that_turns_past_the_camera_is_not_its_mirror_image(name, compare):
    head = puppet(name)
    assert compare(head.frame(-8), head.frame(8)).is_head


@pytest.mark.parametrize("aside", [-7, 7, 10])
@pytest.mark.parametrize("name", NAMES)
def test_picture_that_is_exchanged_for_its_mirror_image_is_no_head(name, aside, compare):
    picture = puppet(name).frame(aside)
    mirrored = np.ascontiguousarray(picture[:, ::-1])
    found = compare(picture, mirrored)
    assert not found.is_head
    assert found.mirror > 0.98
    mirrored[255:290, 255:345] = 90  # a finger on the mouth
    assert compare(picture, mirrored).mirror > 0.965


@pytest.mark.parametrize("radius", [0.6, 0.8])
@pytest.mark.parametrize("name", NAMES)
def test_picture_that_is_bent_has_no_nose(name, radius, compare, sheets):
    def shown(degrees):
        return render_bent(sheets[name], Bend(radius, np.radians(degrees)), Pose(np.eye(3)), GREY)

    found = compare(shown(-15), shown(15))
    assert not found.is_head
    assert found.nose < 0.08
