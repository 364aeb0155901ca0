"""The face mesh, following a face by it, and the pose of the head that it gives."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest

from faceauth.vision import ModelError, face_mesh
from faceauth.vision.face_mesh import PRESENT, FaceMesh
from faceauth.vision.head_pose import FILE, head_pose
from tests.support.webcam import frame, turned

PEOPLE = ["astronaut", "obama", "obama2", "obama3", "biden"]
SHA256 = "1055cb9d4a9ca8b8c688902a3a5194311138ba256bcc94e336d8373a5f30c814"


def rgb(picture):
    return np.ascontiguousarray(picture[:, :, ::-1])


def tilted(picture, degrees, axis):
    """The picture on a sheet of paper that is tilted about an axis in its plane, through its
    middle, in front of grey, from five times its height away."""
    height, width = picture.shape[:2]
    corners = np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float32)
    flat = np.column_stack([corners - (width / 2, height / 2), np.zeros(4)])
    axis = np.array([*axis, 0.0]) / np.hypot(*axis)
    rotation, _ = cv2.Rodrigues(axis * np.radians(degrees))
    turned = flat @ rotation.T
    far = 5 * height
    seen = turned[:, :2] * (far / (far + turned[:, 2:])) + (width / 2, height / 2)
    move = cv2.getPerspectiveTransform(corners, seen.astype(np.float32))
    return cv2.warpPerspective(
        picture, move, (width, height), borderMode=cv2.BORDER_CONSTANT, borderValue=(110,) * 3
    )


def rotated(yaw, pitch, roll=0):
    """The mean face, 200 pixels tall at (300, 200), turned to a side, then raised, then tilted."""
    face = np.load(FILE).astype(np.float64)
    face -= face.mean(axis=0)
    face *= 200 / np.hypot(*(face[152] - face[10])[:2])
    for degrees, axis in ((-yaw, (0, 1, 0)), (-pitch, (1, 0, 0)), (roll, (0, 0, 1))):
        rotation, _ = cv2.Rodrigues(np.radians(degrees) * np.array(axis, np.float64))
        face = face @ rotation.T
    return (face + (300, 200, 0)).astype(np.float32)


def test_the_file_is_the_one_that_its_notice_names():
    data = face_mesh.FILE.read_bytes()
    assert hashlib.sha256(data).hexdigest() == SHA256
    assert SHA256 in (face_mesh.FILE.parent / "NOTICE.txt").read_text()


@pytest.mark.parametrize("name", PEOPLE)
def test_points_lie_where_dlib_finds_the_eyes_and_the_nose(engine, name):
    image = rgb(frame(name))
    (face,) = engine.find_faces(image)
    mesh = engine.mesh(image, face)
    assert mesh.points.shape == (468, 3)
    assert mesh.points.dtype == np.float32
    assert mesh.presence > 2 * PRESENT
    off = np.hypot(*(mesh.landmarks - face.landmarks).T)
    assert off.max() < 0.06 * face.size


@pytest.mark.parametrize("name", PEOPLE)
@pytest.mark.parametrize("off", [(0.15, 0.1, 1.0), (-0.15, 0, 1.1), (0, -0.1, 0.93)])
def test_a_face_is_followed_from_where_it_was(engine, name, off):
    image = rgb(frame(name))
    (face,) = engine.find_faces(image)
    across, down, scale = off
    x, y = (face.box[0] + face.box[2]) / 2, (face.box[1] + face.box[3]) / 2
    x, y, half = x + across * face.size, y + down * face.size, scale * face.size / 2
    found = engine.track(
        image, (round(x - half), round(y - half), round(x + half), round(y + half))
    )
    assert found
    followed, mesh = found
    assert followed.is_same_as(face)
    assert 0.88 < followed.size / face.size < 1.12
    here, there = head_pose(mesh.points), head_pose(engine.mesh(image, face).points)
    assert abs(here.yaw - there.yaw) < 3
    assert abs(here.pitch - there.pitch) < 3
    assert engine.track(image, mesh.points)


@pytest.mark.parametrize("grey", [0, 110, 255])
def test_no_face_is_followed_where_there_is_none(engine, grey):
    blank = np.full((480, 640, 3), grey, np.uint8)
    assert engine.track(blank, (220, 140, 420, 340)) is None
    assert engine.track(blank, (-300, -300, 20, 20)) is None
    noise = np.random.default_rng(1).integers(0, 255, blank.shape, np.uint8)
    assert engine.track(noise, (220, 140, 420, 340)) is None


def test_a_face_beside_the_one_that_is_followed_is_noticed(engine):
    image = rgb(frame("obama"))
    (face,) = engine.find_faces(image)
    assert engine.faces_beside(image, face) == []
    two = np.concatenate([image, rgb(frame("biden"))], axis=1)
    found = engine.track(two, face.box)
    (other,) = engine.faces_beside(two, found[0])
    assert other.box[0] > image.shape[1]


@pytest.mark.parametrize("name", PEOPLE)
def test_a_face_that_is_followed_has_the_encoding_of_one_that_is_detected(engine, name):
    image = rgb(frame(name))
    (face,) = engine.find_faces(image)
    followed, _ = engine.track(image, face.box)
    assert np.linalg.norm(engine.encode(image, followed) - engine.encode(image, face)) < 0.1


@pytest.mark.parametrize("name", PEOPLE)
@pytest.mark.parametrize("off", [(0.4, 0), (-0.5, 0.3), (0, 0.6), (0.6, -0.5), (-0.8, 0), (1, 1)])
def test_a_face_that_moved_far_is_lost_rather_than_mistaken(engine, name, off):
    image = rgb(frame(name))
    (face,) = engine.find_faces(image)
    left, top, right, bottom = face.box
    across, down = round(off[0] * face.size), round(off[1] * face.size)
    found = engine.track(image, (left + across, top + down, right + across, bottom + down))
    if found:
        right_one = engine.mesh(image, face)
        assert np.hypot(*(found[1].landmarks - right_one.landmarks).T).max() < 0.1 * face.size


def test_a_face_that_left_is_lost(engine):
    image = rgb(frame("obama"))
    (face,) = engine.find_faces(image)
    for moved in (np.roll(image, 300, axis=1)[:, :], image[:, ::-1][::-1]):
        found = engine.track(np.ascontiguousarray(moved), face.box)
        assert not found or not found[0].is_same_as(face)


@pytest.mark.parametrize("size", [(1, 1), (2, 300), (24, 24)])
def test_tiny_images_have_no_face(engine, size):
    image = np.full((*size, 3), 90, np.uint8)
    assert engine.track(image, (0, 0, size[1], size[0])) is None


def test_a_face_at_the_edge_is_followed(engine):
    image = rgb(frame("obama"))
    (face,) = engine.find_faces(image)
    cut = round(face.box[0] + 0.2 * face.size)
    found = engine.track(
        image[:, cut:].copy(), (face.box[0] - cut, *face.box[1:2], face.box[2] - cut, face.box[3])
    )
    assert found
    assert abs(found[0].size / face.size - 1) < 0.15


def test_threads_do_not_disturb_each_other(engine):
    images = [rgb(frame(name)) for name in PEOPLE]
    boxes = [engine.find_faces(image)[0].box for image in images]
    alone = [engine.mesh(*each).points for each in zip(images, boxes, strict=True)]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(engine.mesh, images * 4, boxes * 4))
    for mesh, points in zip(together, alone * 4, strict=True):
        assert np.array_equal(mesh.points, points)


@pytest.mark.parametrize("content", [None, b"", b"not a network", b"\0\0\0\0TFL3", 1000, 600_000])
def test_a_damaged_file_is_told(tmp_path, content):
    path = tmp_path / "mesh.tflite"
    if content is not None:
        whole = face_mesh.FILE.read_bytes()
        path.write_bytes(whole[:content] if isinstance(content, int) else content)
    with pytest.raises(ModelError, match=r"mesh\.tflite"):
        FaceMesh(path)


@pytest.mark.parametrize("name", PEOPLE)
@pytest.mark.parametrize(("sine", "side"), [(0.35, 1), (-0.35, -1)])
def test_heads_that_turn(engine, name, sine, side):
    straight, aside = (
        head_pose(engine.mesh(image, engine.find_faces(image)[0]).points)
        for image in (rgb(frame(name)), rgb(turned(name, sine)))
    )
    assert side * (aside.yaw - straight.yaw) > 8
    assert abs(aside.pitch - straight.pitch) < 10
    assert abs(aside.size / straight.size - 1) < 0.12


@pytest.mark.parametrize("yaw", [-25, 0, 25])
@pytest.mark.parametrize("pitch", [-20, 0, 20])
@pytest.mark.parametrize("roll", [-30, 0, 15])
def test_pose_of_a_rotated_mean_face(yaw, pitch, roll):
    points = rotated(yaw, pitch, roll)
    pose = head_pose(points)
    assert pose.yaw == pytest.approx(yaw * np.cos(np.radians(pitch)), abs=2.5)
    assert pose.pitch == pytest.approx(pitch, abs=2.5)
    assert pose.squeeze == pytest.approx(1, abs=0.02)
    assert pose.skew == pytest.approx(0, abs=0.02)
    assert pose.size == pytest.approx(200, rel=0.05)
    assert (pose.x, pose.y) == pytest.approx((300, 200), abs=1)
    assert pose.residual < 0.001


@pytest.mark.parametrize("name", PEOPLE)
@pytest.mark.parametrize("axis", [(0, 1), (1, 0), (1, 1), (1, -1)])
def test_a_flat_picture_that_is_tilted_hardly_turns(engine, name, axis):
    picture = rgb(frame(name))
    mesh = engine.mesh(picture, engine.find_faces(picture)[0])
    straight, points = head_pose(mesh.points), mesh.points
    for degrees in (15, 30, 45):
        mesh = engine.mesh(tilted(picture, degrees, axis), points)
        pose, points = head_pose(mesh.points), mesh.points
        assert np.hypot(pose.yaw - straight.yaw, pose.pitch - straight.pitch) < 12
