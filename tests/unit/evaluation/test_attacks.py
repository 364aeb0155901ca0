from __future__ import annotations

import numpy as np
import pytest

from faceauth.evaluation.pad.multi_photo_attacks import Album, faded, stepwise, swapped
from faceauth.evaluation.pad.photo_attacks import Portrait, slanted, tilted
from faceauth.evaluation.pad.rendering import movement
from faceauth.evaluation.pad.scenarios import SCENARIOS, Case, Kind
from faceauth.evaluation.pad.test_cases import read_portrait
from tests.support.webcam import snapshot

TURNS = ("left", "right")


@pytest.fixture(scope="module")
def engine():
    from faceauth.vision import Engine

    return Engine()


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """Portraits of one person: straight, turned to their left and to their right."""
    folder = tmp_path_factory.mktemp("album") / "obama"
    folder.mkdir()
    found = []
    for name in ("obama", "obama left", "obama right"):
        path = folder / f"{name}.jpg"
        path.write_bytes(snapshot(name))
        found.append(read_portrait(path))
    return found


def yaws(engine, frames):
    """Return the yaw of the one face in each frame, relative to the first frame."""
    faces = [engine.find_faces(frame) for frame in frames]
    assert all(len(each) == 1 for each in faces)
    found = np.array([each[0].yaw for each in faces])
    return found - found[0]


def peaks(engine, attack, photo, seed):
    """Return how far a face seems to turn to its left, when asked to, and to its right."""
    found = yaws(engine, attack(photo, TURNS, np.random.default_rng(seed)))
    half = len(found) // 2
    return found[: half + 1].max(), -found[half:].min()


def test_movement_goes_to_each_side_and_back():
    assert movement(TURNS, 9).tolist() == [0, 0.5, 1, 0.5, 0, -0.5, -1, -0.5, 0]
    for count in range(8, 13):
        found = movement(TURNS, count)
        assert (found[0], found.max(), found.min(), found[-1]) == (0, 1, -1, 0)


def test_mirror_image_looks_to_the_other_side(engine, photos):
    for photo in photos:
        mirrored = photo.mirrored()
        (face,) = engine.find_faces(mirrored.image)
        assert mirrored.face.yaw == pytest.approx(face.yaw, abs=0.04)
        assert mirrored.face.yaw == pytest.approx(-photo.face.yaw, abs=0.001)
        assert mirrored.mirrored().face.box == photo.face.box


@pytest.mark.parametrize(
    "index", [index for index, each in enumerate(SCENARIOS) if each.kind is Kind.PHOTO]
)
def test_attack_with_a_photo_shows_a_face(engine, photos, index):
    case = Case(index, (0, index), TURNS, photos[0].encoding[None], (photos[0],))
    frames = case.frames()
    assert 8 <= len(frames) <= 12
    assert {(frame.shape, frame.dtype.name) for frame in frames} == {((480, 640, 3), "uint8")}
    yaws(engine, frames)
    # Noise alone keeps two frames from being copies.
    assert len({frame.tobytes() for frame in frames}) == len(frames)
    assert all(np.array_equal(*pair) for pair in zip(frames, case.frames(), strict=True))


def test_tilted_photo_hardly_seems_to_turn(engine, photos):
    for seed in range(4):
        left, right = peaks(engine, tilted(40, 45), photos[0], seed)
        assert min(left, right) < 0.1


def test_photo_tilted_about_a_slanting_axis_does_to_both_sides(engine, photos):
    upright = [min(peaks(engine, tilted(55, 60), photos[0], seed)) for seed in range(4)]
    slanting = [min(peaks(engine, slanted(55, 60), photos[0], seed)) for seed in range(4)]
    assert np.mean(slanting) > np.mean(upright) + 0.1


@pytest.mark.parametrize("attack", [swapped, faded, stepwise])
def test_several_photos_make_the_turns_asked_for(engine, photos, attack):
    album = Album(photos)
    assert album.frontal is photos[0]
    frames = attack(album, TURNS, np.random.default_rng(0))
    found = yaws(engine, frames)
    half = len(found) // 2
    assert found[: half + 1].max() > 0.14
    assert found[half:].min() < -0.14
    assert abs(found[-1]) < 0.1


def test_reach_of_an_album_is_that_of_its_most_turned_photo(photos):
    straight, left, _ = photos
    assert Album([straight]).reach < 0.1
    # Its mirror image looks to the other side.
    assert Album([straight, left]).reach > 0.15


def test_photo_of_several_people_or_of_none_is_not_used(tmp_path, faces):
    (tmp_path / "broken.jpg").write_bytes(b"this is no picture")
    assert read_portrait(tmp_path / "broken.jpg") is None
    assert read_portrait(tmp_path / "missing.jpg") is None
    (tmp_path / "one.jpg").write_bytes(faces["obama"])
    assert isinstance(read_portrait(tmp_path / "one.jpg"), Portrait)
