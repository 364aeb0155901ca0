from __future__ import annotations

import threading

import cv2
import numpy as np
import onnxruntime
import pytest

from faceauth.vision import Engine, NoFaceError, decode_image
from faceauth.vision.encoding import encode_with_mirror
from faceauth.vision.onnx_session import load_cuda

PEOPLE = ["astronaut", "biden", "obama", "obama2", "obama3", "obama_partial", "obama_partial2"]


def placed(photo, *, height, at, size=(480, 640)):
    """The photo scaled to `height`, on grey, its top left corner at `at` (x, y)."""
    scaled = cv2.resize(photo, (round(photo.shape[1] * height / photo.shape[0]), height))
    scene = np.full((*size, 3), 110, np.uint8)
    x, y = at
    part = scaled[: size[0] - y, : size[1] - x]
    scene[y : y + part.shape[0], x : x + part.shape[1]] = part
    return scene


@pytest.mark.parametrize("name", PEOPLE)
def test_encoding_equals_that_of_face_recognition_for_the_same_box(engine, faces, oracle, name):
    image = decode_image(faces[name])
    (face, *_) = engine.find_faces(image)
    left, top, right, bottom = face.box
    theirs = oracle.face_encodings(image, known_face_locations=[(top, right, bottom, left)])
    ours = engine.encode(image, face)
    assert ours.shape == (128,)
    assert ours.dtype == np.float32
    assert np.abs(ours - theirs[0]).max() < 1e-5


@pytest.mark.parametrize("name", PEOPLE)
def test_encoding_of_a_box_from_elsewhere_equals_that_of_face_recognition(
    engine, faces, oracle, name
):
    image = decode_image(faces[name])
    locations = oracle.face_locations(image)
    theirs = oracle.face_encodings(image, known_face_locations=locations)
    for (top, right, bottom, left), encoding in zip(locations, theirs, strict=True):
        ours = engine.encode(image, (left, top, right, bottom))
        assert np.abs(ours - encoding).max() < 1e-5


@pytest.mark.parametrize("name", PEOPLE)
def test_finds_the_face_that_dlibs_own_detector_finds(engine, faces, oracle, name):
    image = decode_image(faces[name], max_side=400)
    theirs = oracle.face_locations(image, model="cnn")
    # face_recognition enlarges the picture to twice its size first.
    ours = engine.find_faces(image, smallest=40)
    assert len(ours) == len(theirs) == 1
    top, right, bottom, left = theirs[0]
    box = ours[0].box
    assert np.hypot(box[0] + box[2] - left - right, box[1] + box[3] - top - bottom) / 2 < 0.2 * (
        bottom - top
    )
    assert 0.75 < ours[0].size / (bottom - top) < 1.33


def test_people_are_distinguished(engine, faces):
    probes = {name: engine.probe([decode_image(faces[name])]) for name in PEOPLE[:5]}
    same = np.linalg.norm(probes["obama"] - probes["obama2"])
    others = [np.linalg.norm(probes["obama"] - probes[name]) for name in ("biden", "astronaut")]
    assert same < 0.314 < 0.5 < min(others)


def test_probe_of_several_frames_is_one_unit_vector_near_each(engine, faces):
    images = [decode_image(faces[name]) for name in ("obama", "obama2", "obama3")]
    probe = engine.probe(images)
    assert probe.shape == (128,)
    assert np.linalg.norm(probe) == pytest.approx(1, abs=1e-5)
    together = [np.linalg.norm(probe - engine.probe([image])) for image in images]
    between = np.linalg.norm(engine.probe(images[:1]) - engine.probe(images[1:2]))
    assert max(together) < between


def test_mirror_image_encodes_the_same(engine, faces):
    image = decode_image(faces["astronaut"])
    face = engine.find_faces(image)[0]
    encoder = engine.load().encoder
    chip = encoder.chip(image, face.landmarks)
    mirrored = encode_with_mirror(encoder, [chip[:, ::-1]])
    assert np.allclose(encode_with_mirror(encoder, [chip]), mirrored, atol=1e-6)


@pytest.mark.parametrize("height", [150, 250, 480, 900])
def test_finds_faces_of_all_sizes_where_they_are(engine, faces, height):
    photo = decode_image(faces["astronaut"])[:260, 120:380]
    scene = placed(photo, height=height, at=(30, 20), size=(960, 1280))
    (face,) = engine.find_faces(scene, smallest=60)
    left, top, right, bottom = engine.find_faces(photo)[0].box
    scale = height / len(photo)
    found = np.subtract(face.box, [30, 20, 30, 20]) / scale
    assert np.abs(found - [left, top, right, bottom]).max() < 0.12 * (right - left)


@pytest.mark.parametrize("share", [1.0, 0.9, 0.8])
def test_second_person_nearly_as_large_is_noticed(engine, faces, share):
    one = decode_image(faces["obama"])[:560, 60:700]
    other = decode_image(faces["biden"])[:900, 60:700]
    ratio = engine.find_faces(one)[0].size / len(one)
    other_ratio = engine.find_faces(other)[0].size / len(other)
    for height in (150, 190, 230):
        scene = placed(one, height=round(height / ratio), at=(0, 0), size=(720, 1280))
        more = placed(
            other, height=round(height * share / other_ratio), at=(760, 0), size=(720, 1280)
        )
        scene[:, 760:] = more[:, 760:]
        assert len(engine.find_faces(scene)) == 2


def test_largest_face_comes_first(engine, faces):
    small = placed(decode_image(faces["biden"]), height=420, at=(0, 0), size=(600, 1000))
    large = placed(decode_image(faces["obama"]), height=600, at=(500, 0), size=(600, 1000))
    scene = np.concatenate([small[:, :500], large[:, 500:]], axis=1)
    found = engine.find_faces(scene, smallest=40, beside=None)
    assert len(found) == 2
    assert found[0].box[0] > 500 > found[1].box[2]
    assert found[0].size > found[1].size


@pytest.mark.parametrize("shape", [(480, 640), (1, 1), (3, 900), (81, 79)])
def test_pictures_without_a_face_have_none(engine, shape):
    random = np.random.default_rng(0)
    assert engine.find_faces(random.integers(0, 255, (*shape, 3), np.uint8)) == []
    assert engine.find_faces(np.zeros((*shape, 3), np.uint8)) == []


def test_probe_without_a_face_or_a_frame_says_so(engine):
    with pytest.raises(NoFaceError):
        engine.probe([np.zeros((200, 200, 3), np.uint8)])
    with pytest.raises(NoFaceError):
        engine.probe([])


def test_yaw_has_the_sign_of_the_side_and_mirrors(engine, faces):
    image = decode_image(faces["obama_partial"])
    mirrored = np.ascontiguousarray(image[:, ::-1])
    yaw = engine.find_faces(image)[0].yaw
    assert engine.find_faces(mirrored)[0].yaw == pytest.approx(-yaw, abs=0.05)


def test_threads_share_one_engine_that_loads_once(faces, monkeypatch):
    sessions = []
    real = onnxruntime.InferenceSession
    monkeypatch.setattr(
        onnxruntime,
        "InferenceSession",
        lambda *args, **kwargs: sessions.append(args) or real(*args, **kwargs),
    )
    engine, image = Engine(), decode_image(faces["astronaut"])
    probes = []
    threads = [
        threading.Thread(target=lambda: probes.append(engine.probe([image]))) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(sessions) == 3  # the detector, the encoder and the mesh
    assert len(probes) == 8
    assert all(np.array_equal(probe, probes[0]) for probe in probes)


def test_thread_count_and_provider_reach_the_runtime():
    engine = Engine(threads=2, providers=["CPUExecutionProvider"])
    session = engine.load().encoder._session
    assert session.get_session_options().intra_op_num_threads == 2
    assert session.get_providers() == ["CPUExecutionProvider"]


def test_cuda_is_preferred_where_it_is_installed(monkeypatch):
    installed = ["TensorrtExecutionProvider", "CUDAExecutionProvider", "CPUExecutionProvider"]
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: installed)
    assert Engine().providers == ["CUDAExecutionProvider", "CPUExecutionProvider"]


@pytest.mark.filterwarnings("ignore:Specified provider")
def test_cuda_is_loaded_once_from_where_pip_puts_it(monkeypatch, capsys):
    loaded = []
    monkeypatch.setattr(onnxruntime, "preload_dlls", lambda: loaded.append(print("missing")))
    load_cuda.cache_clear()
    Engine(providers=["CPUExecutionProvider"]).load()
    assert not loaded
    Engine(providers=["CUDAExecutionProvider", "CPUExecutionProvider"]).load()
    assert len(loaded) == 1
    assert capsys.readouterr().out == ""
    load_cuda.cache_clear()


def test_a_quick_search_takes_a_fraction_of_the_time_where_nobody_is(engine, faces, monkeypatch):
    image = decode_image(faces["obama"], max_side=640)
    assert engine.find_faces(image, quickly=True)[0].box == engine.find_faces(image)[0].box
    sizes = []
    detector = engine.load().detector
    scan = type(detector).scan
    monkeypatch.setattr(
        type(detector), "scan", lambda *args, **more: sizes.append(args[2]) or scan(*args, **more)
    )
    blank = np.full((480, 640, 3), 120, np.uint8)
    assert engine.find_faces(blank) == []
    whole = len(sizes)
    assert engine.find_faces(blank, quickly=True) == []
    assert (len(sizes) - whole) * 3 <= whole
