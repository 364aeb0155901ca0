"""The commands that measure, on folders and on the site's own users."""

from __future__ import annotations

import json
import shutil
from io import BytesIO

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from PIL import Image

from accounts.models import User
from faceauth.evaluation.management.commands.face_calibrate import DOES_NOT_HOLD
from faceauth.evaluation.management.commands.face_evaluate import SOME_LEFT_OUT
from tests.support.webcam import snapshot
from tests.unit.evaluation.conftest import crowd

ALBUM = {
    "Barack": ["obama", "obama2", "obama3", "obama left"],
    "Joe": ["biden", "biden left"],
    "Eileen": ["astronaut"],
}


@pytest.fixture(scope="module")
def album(tmp_path_factory):
    folder = tmp_path_factory.mktemp("album")
    for person, names in ALBUM.items():
        (folder / person).mkdir()
        for number, name in enumerate(names, 1):
            (folder / person / f"{person}_{number:04d}.jpg").write_bytes(snapshot(name))
    pairs = ["Barack\t1\t2", "Barack\t1\t3", "Joe\t1\t2", "Barack\t1\tJoe\t1", "Joe\t1\tEileen\t1"]
    (folder / "pairs.txt").write_text("\n".join(pairs))
    return folder


def test_measures_a_folder(album, tmp_path, capsys):
    results, plot = tmp_path / "results.json", tmp_path / "curves.svg"
    call_command(
        "face_evaluate",
        album,
        pairs=album / "pairs.txt",
        json=results,
        plot=plot,
        processes=1,
    )
    text, errors = capsys.readouterr()
    # The progress bar is for terminals.
    assert errors == ""
    assert "7 photos of 3 people" in text
    # 14 impostors of the 100,000 for ten false matches.
    assert text.count("too few people") == text.count("takes about 254 people") == 1
    assert "too few impostors" not in text
    assert "one among many: at least 10 people are needed" in text
    assert "100.00% at the best distance" in text
    found = json.loads(results.read_text())
    assert found["photos"] == {"photos": 7, "people": 3, "faces": 7}
    assert found["pairs"]["best"] == 1
    one = found["cells"][0]
    assert (one["shots"], one["frames"], one["genuine"], one["impostors"]) == (1, 1, 7, 14)
    assert one["policy"]["fmr"]["events"] == 0
    assert found["fixed"]["fmr"]["of"] == 14
    assert "<svg" in plot.read_text()


def test_unusable_files_are_left_out(album, tmp_path, capsys):
    folder = tmp_path / "album"
    shutil.copytree(album, folder)
    (folder / "Joe" / "broken.jpg").write_bytes(b"this is no picture")
    (folder / "Joe" / "wall.png").write_bytes(_wall())
    with pytest.raises(SystemExit) as caught:
        call_command("face_evaluate", folder, processes=1)
    assert caught.value.code == SOME_LEFT_OUT
    captured = capsys.readouterr()
    assert "Joe/broken.jpg: unreadable" in captured.err
    assert "Joe/wall.png: no face found" in captured.err
    assert "a face found in 7 of them" in captured.out


@pytest.mark.parametrize(
    ("people", "missing"),
    [
        ({}, "There are no photos"),
        ({"Barack": ["obama", "obama2"]}, "At least two people"),
        ({"Barack": ["obama"], "Joe": ["biden"]}, "At least two photos of one person"),
    ],
)
def test_error_names_what_is_missing(tmp_path, capsys, people, missing):
    for person, names in people.items():
        (tmp_path / person).mkdir()
        for name in names:
            (tmp_path / person / f"{name}.jpg").write_bytes(snapshot(name))
    with pytest.raises(CommandError) as caught:
        call_command("face_evaluate", tmp_path, processes=1)
    assert missing in f"{caught.value} {capsys.readouterr().err}"


def test_pair_without_its_photo(album, tmp_path):
    file = tmp_path / "pairs.txt"
    file.write_text("Barack\t1\t99\n")
    with pytest.raises(CommandError, match="does not exist"):
        call_command("face_evaluate", album, pairs=file, processes=1)


def test_calibration_of_too_few_people_is_not_written(album, tmp_path):
    with pytest.raises(CommandError, match="hundreds of people"):
        call_command("face_evaluate", album, write=tmp_path / "own", processes=1)


def test_site_whose_people_differ_keeps_the_rate(db, settings, capsys):
    settings.FACEAUTH = {**settings.FACEAUTH, "MAX_FALSE_MATCH_RATE": 1e-2}
    enrol(crowd(60, 5, spread=0.08))
    call_command("face_calibrate")
    text = capsys.readouterr().out
    assert "60 people enrolled" in text
    assert "3 enrolled, 1 shown: the rate of 1e-02 holds" in text


def test_site_whose_people_look_alike_does_not(db, capsys, tmp_path):
    enrol(crowd(60, 5, spread=0.01))
    with pytest.raises(SystemExit) as caught:
        call_command("face_calibrate", json=tmp_path / "results.json")
    assert caught.value.code == DOES_NOT_HOLD
    assert "1 enrolled, 1 shown: the rate of 1e-04 DOES NOT HOLD" in capsys.readouterr().out
    cells = json.loads((tmp_path / "results.json").read_text())["cells"]
    assert cells[0]["holds"] is False


def test_site_with_few_people_gets_an_error(db, capsys):
    with pytest.raises(CommandError, match=r"0 people are enrolled\. At least two people"):
        call_command("face_calibrate")
    enrol(crowd(3, 5, spread=0.08))
    call_command("face_calibrate")
    assert "too few people to tell" in capsys.readouterr().out


def test_unreadable_templates_are_left_out(db, capsys):
    enrol(crowd(3, 5, spread=0.08))
    with connection.cursor() as cursor:
        table, key = User._meta.db_table, User.objects.first().pk
        cursor.execute(f"UPDATE {table} SET face_encodings = %s WHERE id = %s", [b"\x01x", key])
    call_command("face_calibrate")
    captured = capsys.readouterr()
    assert "unreadable templates left out: 1" in captured.err
    assert "2 people enrolled" in captured.out


def enrol(people):
    User.objects.bulk_create(
        User(
            pk=number + 1,  # what encodings are encrypted for
            username=f"user{number}",
            email=f"user{number}@example.com",
            face_encodings=np.stack([photo.views for photo in photos]),
        )
        for number, photos in enumerate(people)
    )


def _wall():
    file = BytesIO()
    Image.new("RGB", (200, 200), "beige").save(file, "PNG")
    return file.getvalue()
