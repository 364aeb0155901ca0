"""The memo of the engine's answers gives what the engine gives."""

from __future__ import annotations

import multiprocessing
import shutil

import numpy as np
import pytest

from faceauth.vision import Engine, decode_image
from tests.support import memo
from tests.support.memo import Memo, digest, key


@pytest.fixture
def switched(monkeypatch):
    """Choose between kept and computed answers: `switched(False)`."""
    return lambda on: monkeypatch.setattr(memo, "active", on)


@pytest.mark.parametrize("name", ["obama", "biden", "astronaut"])
def test_kept_answers_are_those_of_the_engine(name, faces, switched):
    engine, image = Engine(), decode_image(faces[name])
    switched(False)
    found = engine.find_faces(image, smallest=60)
    encoded = [each(image, found[0]) for each in functions(engine)]
    boxed = engine.encode(image, found[0].box)
    switched(True)
    for _ in "computed, kept":
        again = engine.find_faces(image, smallest=60)
        assert [(face.box, face.score) for face in again] == [(f.box, f.score) for f in found]
        for ours, theirs in zip(again, found, strict=True):
            assert_same(ours.landmarks, theirs.landmarks)
            assert list(map(type, ours.box)) == list(map(type, theirs.box))
            assert type(ours.score) is type(theirs.score)
        for function, expected in zip(functions(engine), encoded, strict=True):
            assert_same(function(image, again[0]), expected)
        assert_same(engine.encode(image, again[0].box), boxed)


def test_no_face_is_an_answer_too(switched):
    switched(True)
    for _ in "computed, kept":
        assert Engine().find_faces(np.zeros((90, 90, 3), np.uint8)) == []


def test_answer_belongs_to_its_caller(tmp_path):
    memory = Memo(tmp_path, "version")
    memory.array("aa", lambda: np.zeros(3))[:] = 1
    assert not memory.array("aa", list).any()
    assert (memory.hits, memory.misses) == (1, 1)


def test_key_tells_functions_and_arguments_apart():
    image = np.zeros((4, 6, 3), np.uint8)
    other = image.copy()
    other[0, 0, 0] = 1
    calls = [
        ("encode", image, (1, 2, 3, 4)),
        ("encode_views", image, (1, 2, 3, 4)),
        ("encode", other, (1, 2, 3, 4)),
        ("encode", image.reshape(6, 4, 3), (1, 2, 3, 4)),
        ("encode", image.view(np.int8), (1, 2, 3, 4)),
        ("encode", image, (1, 2, 3, 5)),
        ("encode", image),
    ]
    assert len({key(*call) for call in calls}) == len(calls)
    # The same pixels count the same however they lie in memory.
    assert key("encode", image[:, ::-1]) == key("encode", image[:, ::-1].copy())


def test_changed_source_computes_everything_again(tmp_path, monkeypatch):
    sources = tmp_path / "vision"
    shutil.copytree(memo.SOURCES, sources, ignore=shutil.ignore_patterns("__pycache__"))
    before = digest(sources)
    assert before == digest(memo.SOURCES)
    with (sources / "engine.py").open("a") as file:
        file.write("# changed\n")
    changed = digest(sources)
    (sources / "new.py").touch()
    monkeypatch.setattr(memo, "version", lambda package: "0")
    assert len({before, changed, digest(sources)}) == 3

    Memo(tmp_path, before).array("aa", lambda: np.zeros(1))
    assert Memo(tmp_path, before).array("aa", list) == [0]
    assert Memo(tmp_path, changed).array("aa", lambda: np.ones(1)) == [1]


def test_results_of_other_functions_are_stored(tmp_path, monkeypatch):
    monkeypatch.setattr(memo, "STORED", tmp_path)
    calls = []

    def twice():
        """Make the function as two processes would."""

        @memo.stored()
        def double(array, by=2):
            calls.append(by)
            return array * by

        return double

    one, other = twice(), twice()
    for function in (one, one, other):
        assert (function(np.ones(3)) == [2, 2, 2]).all()
    assert (other(np.ones(3), 3) == [3, 3, 3]).all()
    assert calls == [2, 3]


def test_damaged_file_is_computed_again(tmp_path):
    Memo(tmp_path, "v").array("aa", lambda: np.zeros(9))
    (file,) = tmp_path.rglob("*.npy")
    for damaged in (b"", file.read_bytes()[:-8], b"not an array"):
        file.write_bytes(damaged)
        assert (Memo(tmp_path, "v").array("aa", lambda: np.ones(9)) == 1).all()


def write(folder, seed):
    memory = Memo(folder, "v")
    for name in range(50):
        assert (memory.array(f"{name:02}", lambda name=name: np.full(999, name)) == name).all()


def test_several_processes_share_a_folder(tmp_path):
    context = multiprocessing.get_context("spawn")
    with context.Pool(3) as pool:
        pool.starmap(write, [(tmp_path, seed) for seed in range(3)])
    assert len([*tmp_path.rglob("*.npy")]) == 50
    assert not [*tmp_path.rglob("*.tmp")]


def test_old_versions_go(tmp_path, monkeypatch):
    monkeypatch.setattr(memo, "MAX_VERSIONS", 2)
    monkeypatch.setattr(memo, "MAX_ANSWERS", 3)
    for version in ("one", "two", "three"):
        memo.prune(tmp_path, version)
        for name in ("aa", "bb", "cc"):
            Memo(tmp_path, version).array(name, lambda: np.zeros(1))
    assert {each.name for each in tmp_path.iterdir()} == {"two", "three"}
    Memo(tmp_path, "three").array("dd", lambda: np.zeros(1))
    memo.prune(tmp_path, "three")
    assert not [*tmp_path.glob("three/*/*.npy")]


def functions(engine):
    return engine.encode, engine.encode_with_mirror, engine.encode_views


def assert_same(ours, theirs):
    assert ours.dtype == theirs.dtype
    assert ours.shape == theirs.shape
    assert ours.tobytes() == theirs.tobytes()
