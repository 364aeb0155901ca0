from __future__ import annotations

import cv2
import numpy as np
import pytest
from faceauth.liveness.head_turns import (
    LEFT,
    MAX_CHANGE,
    RIGHT,
    Frame,
    NotLiveError,
    Reason,
    change,
    check_person,
    check_turns,
)

from faceauth.vision import Engine, decode_image
from tests.support.heads import filmed, still, turning
from tests.support.webcam import frame, tilted

TURNS = [LEFT, RIGHT]


@pytest.fixture(scope="module")
def engine():
    return Engine()


@pytest.fixture(scope="module")
def seen(engine):
    """Return the frames of JPEG files, as the server sees them."""

    def look(files):
        images = [decode_image(data) for data in files]
        faces = [engine.find_faces(image)[0] for image in images]
        return [Frame(image, face.box, face.yaw) for image, face in zip(images, faces, strict=True)]

    return look


@pytest.fixture(scope="module")
def turned(seen):
    return seen(turning("obama", *TURNS))


def reason(frames, turns=TURNS):
    with pytest.raises(NotLiveError) as refused:
        check_turns(frames, turns)
    return refused.value.reason


def test_head_that_turns(turned):
    assert check_turns(turned, TURNS) == [0, 4, 8]


def test_turns_that_were_not_asked_for(turned):
    for turns in ([RIGHT, LEFT], [LEFT], [RIGHT], [LEFT, RIGHT, LEFT], []):
        assert reason(turned, turns) is Reason.NOT_TURNED


def test_same_side_counts_again_once_the_head_was_back(seen):
    assert check_turns(seen(turning("obama", LEFT, LEFT)), [LEFT, LEFT]) == [0, 4, 8]
    once = seen(turning("obama", LEFT))
    held = [*once[:3], *(each._replace(image=each.image + 1) for each in once[2:])]
    assert check_turns(held, [LEFT]) == [0, 5]


def test_too_few_frames_and_too_many(turned):
    assert reason(turned[:4]) is Reason.FRAME_COUNT
    assert reason([*turned, *turned]) is Reason.FRAME_COUNT


def test_movement_begins_and_ends_straight_ahead(turned):
    assert reason(turned[:7]) is Reason.NOT_STRAIGHT
    aside = [each._replace(yaw=each.yaw + 0.4) for each in turned]
    assert reason(aside) is Reason.NOT_STRAIGHT


def test_photo_that_is_moved(seen):
    assert reason(seen(still("obama"))) is Reason.NOT_TURNED


def test_tilted_photo_uncovers_nothing_however_far_it_seems_to_turn(seen, turned):
    angles = np.array([0, 0.5, 1, 0.5, 0, -0.5, -1, -0.5, 0]) * np.pi / 4
    photo = seen(filmed([tilted(frame("obama"), angle) for angle in angles]))
    seems = [flat._replace(yaw=head.yaw) for flat, head in zip(photo, turned, strict=True)]
    assert reason(seems) is Reason.FLAT


def test_head_that_is_elsewhere_at_once(turned):
    assert reason([turned[0], *turned[2:3], *turned[6:]]) is Reason.JUMPED


@pytest.mark.parametrize("other", ["obama2", "obama3", "biden"])
def test_photos_shown_one_after_another(seen, turned, other):
    (shown,) = seen(filmed([frame(other)]))
    swapped = [*turned]
    swapped[2] = shown._replace(yaw=turned[2].yaw)
    assert reason(swapped) is Reason.JUMPED
    assert min(change(turned[1], shown)) > MAX_CHANGE


def test_frame_twice(turned):
    assert reason([turned[0], *turned]) is Reason.COPIED


def test_what_moves_or_is_lit_otherwise_is_not_new(turned):
    before = turned[0]
    assert change(before, before) == (0, 0)
    moved = np.roll(before.image, (6, 10), (0, 1))
    lighter = cv2.convertScaleAbs(before.image, alpha=1, beta=25)
    for image in (moved, lighter):
        assert max(change(before, before._replace(image=image))) < MAX_CHANGE / 3


def test_one_person_throughout(engine, faces):
    def encoding(name):
        image = decode_image(faces[name])
        found = engine.encode_with_mirror(image, engine.find_faces(image)[0])
        return found / np.linalg.norm(found)

    check_person(np.stack([encoding("obama"), encoding("obama2"), encoding("obama3")]), [0])
    with pytest.raises(NotLiveError) as refused:
        check_person(np.stack([encoding("obama"), encoding("biden"), encoding("obama")]), [0, 2])
    assert refused.value.reason is Reason.ANOTHER
