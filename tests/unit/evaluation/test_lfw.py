from __future__ import annotations

from pathlib import Path

import pytest

from faceauth.evaluation.lfw import Pair, accuracy, read_pairs
from tests.unit.evaluation.conftest import crowd


@pytest.fixture
def album():
    """Photos by path, and pairs of them: as many of one person as of two."""
    people = crowd(40, 2)
    photos = {Path(f"{i}/{j}"): people[i][j] for i in range(40) for j in range(2)}
    same = [Pair(Path(f"{i}/0"), Path(f"{i}/1"), True) for i in range(40)]
    other = [Pair(Path(f"{i}/0"), Path(f"{(i + 1) % 40}/1"), False) for i in range(40)]
    return photos, same + other


def test_all_pairs_are_correct_if_people_differ(album):
    photos, pairs = album
    result = accuracy(pairs, photos)
    assert (result.folds, result.error, result.best, result.undetected) == (1, 0, 1, 0)


def test_mislabelled_pairs_are_wrong(album):
    photos, pairs = album
    wrong = [pair._replace(same=not pair.same) for pair in pairs[:4] + pairs[-4:]]
    result = accuracy(pairs[4:-4] + wrong, photos)
    assert result.best == 0.9
    assert result.folds == pytest.approx(0.9, abs=0.03)
    assert result.error > 0


def test_undetected_face_is_wrong_in_pairs_of_either_kind(album):
    photos, pairs = album
    result = accuracy(pairs, {**photos, Path("3/0"): None})
    assert result.undetected == 2
    assert result.best == 1 - 2 / 80


def test_reads_lfw_format(tmp_path):
    file = tmp_path / "pairs.txt"
    file.write_text("10\t300\nAda\t1\t12\nAda\t3\tBob\t4\n\n")
    assert read_pairs(Path("lfw"), file) == [
        Pair(Path("lfw/Ada/Ada_0001.jpg"), Path("lfw/Ada/Ada_0012.jpg"), True),
        Pair(Path("lfw/Ada/Ada_0003.jpg"), Path("lfw/Bob/Bob_0004.jpg"), False),
    ]


@pytest.mark.parametrize("text", ["Ada 1 2", "Ada\tone\t2", "", "300\n"])
def test_line_that_is_no_pair_is_an_error(tmp_path, text):
    file = tmp_path / "pairs.txt"
    file.write_text(text)
    with pytest.raises(ValueError):
        read_pairs(Path("lfw"), file)
