"""face_recognise: find, name and mark everybody in pictures of several people."""

from __future__ import annotations

import csv
import json
from io import BytesIO

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from PIL import Image

from faceauth.bulk import recognition
from faceauth.management.commands.face_recognise import SOME_UNREADABLE
from tests.support.people import picture
from tests.support.webcam import HEIGHT, WIDTH

# Who stands where in the group pictures, from left to right.
GROUP = ("obama3", "astronaut", "biden left")


@pytest.fixture
def album(tmp_path):
    """Write a folder of pictures, uint8 arrays or bytes: `album({"a.jpg": group()})`."""

    def make(files):
        for name, content in files.items():
            path = tmp_path / "album" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content) if isinstance(content, bytes) else content.save(path)
        return tmp_path / "album"

    return make


@pytest.fixture
def recognise(tmp_path):
    """Run the command, and return its exit status and its JSON results."""

    def run(path, output=tmp_path / "out", **options):
        status = 0
        try:
            call_command("face_recognise", path, output=output, **{"processes": 1, **options})
        except SystemExit as caught:
            status = caught.code
        return status, json.loads((output / "results.json").read_text())

    return run


@pytest.fixture
def two(enrolled):
    """Enrol two of the three people in the group pictures."""
    return enrolled("barack", "obama", "obama2"), enrolled("joe", "biden")


@pytest.mark.real
def test_everybody_is_found_and_those_enrolled_are_named(album, recognise, two, tmp_path):
    path = album({"days/first.png": group(), "empty.png": Image.new("RGB", (300, 300), "beige")})
    before = (path / "days" / "first.png").read_bytes()
    status, results = recognise(path)
    assert status == 0
    assert results["pictures"] == {"found": 2, "without_faces": 1, "unreadable": 0}
    assert results["faces"] == {"found": 3, "named": 2, "ambiguous": 0, "unknown": 1}
    first = results["results"][0]
    assert (first["file"], first["width"], first["height"]) == ("days/first.png", *group().size)
    assert names(first) == ["barack", None, "joe"]
    for face in first["faces"]:
        assert (face["distance"] <= face["limit"]) == (face["name"] is not None)
    with Image.open(tmp_path / "out" / "days" / "first.png") as written:
        marked = written.convert("RGB")
    assert marked.size == group().size
    assert [colour(marked, face) for face in by_place(first)] == ["green", "red", "green"]
    assert (path / "days" / "first.png").read_bytes() == before
    assert sorted(each.name for each in (tmp_path / "out").iterdir()) == [
        "days",
        "empty.png",
        "results.csv",
        "results.json",
    ]


def test_people_in_a_folder_replace_the_enrolled_people(album, recognise, two, tmp_path, capsys):
    known = tmp_path / "known"
    (known / "Eileen Collins").mkdir(parents=True)
    (known / "Eileen Collins" / "1.png").write_bytes(picture("astronaut"))
    (known / "Džo 拜登.jpg").write_bytes(picture("biden"))
    (known / "nobody.jpg").write_bytes(b"no picture")
    _status, results = recognise(album({"a.png": group()}), known=known)
    assert results["known"] == 2
    assert names(results["results"][0]) == [None, "Eileen Collins", "Džo 拜登"]
    assert "nobody.jpg: not a picture that can be read" in capsys.readouterr().err
    with (tmp_path / "out" / "results.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = sorted(csv.DictReader(file), key=lambda row: int(row["left"]))
    assert [row["name"] for row in rows] == ["", "Eileen Collins", "Džo 拜登"]
    assert [row["outcome"] for row in rows] == ["too_far", "accepted", "accepted"]
    assert all(int(row["head_size"]) > 80 and float(row["sharpness"]) > 0 for row in rows)


def test_names_are_no_formulas_for_spreadsheets(album, recognise, enrolled, tmp_path):
    enrolled("@barack", "obama")
    recognise(album({"+1-1.jpg": picture("obama2"), "=HYPERLINK(1).jpg": b"no picture"}))
    with (tmp_path / "out" / "results.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = [*csv.DictReader(file)]
    assert {row["file"] for row in rows} == {"'+1-1.jpg", "'=HYPERLINK(1).jpg"}
    assert {row["name"] for row in rows} == {"'@barack", ""}
    assert any(float(row["head_pose_yaw"] or row["head_pose_pitch"] or 0) for row in rows)


def test_small_faces_are_found_with_the_option(album, recognise, two):
    width, height = group().size
    path = album({"a.png": group().resize((width // 6, height // 6))})
    assert recognise(path)[1]["faces"]["found"] == 0
    (result,) = recognise(path, smallest=25)[1]["results"]
    assert names(result) == ["barack", None, "joe"]
    assert max(face["quality"]["head_size"] for face in result["faces"]) < 50


def test_names_and_the_place_of_the_pictures_are_printed(album, recognise, two, tmp_path, capsys):
    path = album({f"{number}.jpg": picture("obama left") for number in range(7)})
    album({"days/first.png": group()})
    recognise(path)
    lines = capsys.readouterr().out.splitlines()
    assert "  barack: 0.jpg, 1.jpg, 2.jpg, 3.jpg, 4.jpg and 3 more" in lines
    assert "  joe: days/first.png" in lines
    assert f"Marked pictures, results.csv and results.json: {tmp_path / 'out'}" in lines


@pytest.mark.parametrize("edge", ["left", "right", "bottom"])
def test_large_face_that_the_edge_cuts_off_is_found(album, recognise, two, edge):
    whole = Image.open(BytesIO(picture("biden left"))).convert("RGB")
    (face,) = recognition.find_faces(np.asarray(whole), 80)
    left, top, right, bottom = face.box
    part = 0.38 * face.size
    box = {
        "left": (left + part, 0, whole.width, whole.height),
        "right": (0, 0, right - part, whole.height),
        "bottom": (0, 0, whole.width, bottom - part),
    }[edge]
    cut = whole.crop(tuple(map(round, box)))
    # Reduced before the search, and not.
    for scale in (1, 2):
        size = (cut.width * scale, cut.height * scale)
        (result,) = recognise(album({"a.png": cut.resize(size)}))[1]["results"]
        (found,) = result["faces"]
        sides = [number / scale for number in found["box"]]
        beyond = {"left": -sides[0], "right": sides[2] - cut.width, "bottom": sides[3] - cut.height}
        assert beyond[edge] > 0.2 * face.size
        assert sides[3] - sides[1] == pytest.approx(face.size, rel=0.2)
        assert found["name"] in (None, "joe")


def test_face_is_found_once_in_a_picture_that_is_searched_in_tiles(monkeypatch):
    image = np.asarray(group(), np.uint8)
    whole = recognition.find_faces(image, 60)
    monkeypatch.setattr(recognition, "MAX_PIXELS", 400_000)
    tiled = recognition.find_faces(image, 60)
    assert len(whole) == len(tiled) == 3
    for one, other in zip(whole, tiled, strict=True):
        assert one.is_same_as(other)
        assert one.size == pytest.approx(other.size, rel=0.1)


def test_nobody_is_named_if_two_people_are_equally_near(album, recognise, enrolled):
    enrolled("barack", "obama")
    enrolled("eve", "obama")
    _status, results = recognise(album({"a.png": group()}))
    first = by_place(results["results"][0])[0]
    assert (first["outcome"], first["name"]) == ("ambiguous", None)
    assert results["faces"]["ambiguous"] == 1


def test_pictures_that_cannot_be_read_have_their_reasons(
    album, recognise, two, settings, tmp_path, capsys
):
    settings.FACEAUTH = {**settings.FACEAUTH, "MAX_IMAGE_PIXELS": 400_000}
    files = {"a.png": group(), "b.jpg": b"no picture", "c.txt": b"notes", ".d.jpg": b""}
    path = album({**files, "e.jpg": picture("obama left")})
    status, results = recognise(path)
    assert status == SOME_UNREADABLE
    assert {each["file"]: each["problem"] for each in results["results"]} == {
        "a.png": "too_large",
        "b.jpg": "unsupported_type",
        "e.jpg": "",
    }
    assert not (tmp_path / "out" / "b.jpg").exists()
    told = capsys.readouterr()
    assert "a.png: the file is too large, or the picture has too many pixels" in told.err
    assert "c.txt: not a picture" in told.err
    assert "Pictures: 3. Without a face: 0, unreadable: 2." in told.out


@pytest.mark.parametrize("suffix", ["jpg", "jpeg", "png", "webp", "gif", "bmp", "tif", "TIFF"])
def test_pictures_keep_their_format_and_size(album, recognise, two, tmp_path, suffix):
    face = Image.open(BytesIO(picture("obama left")))
    _status, results = recognise(album({f"a.{suffix}": face}))
    assert names(results["results"][0]) == ["barack"]
    with (
        Image.open(tmp_path / "album" / f"a.{suffix}") as original,
        Image.open(tmp_path / "out" / f"a.{suffix}") as written,
    ):
        assert (written.format, written.size) == (original.format, original.size)


def test_picture_held_sideways_is_written_upright(album, recognise, two, tmp_path):
    face = Image.open(BytesIO(picture("obama left"))).convert("RGB")
    exif = Image.Exif()
    exif[0x0112] = 6
    file = BytesIO()
    face.transpose(Image.Transpose.ROTATE_90).save(file, "JPEG", exif=exif)
    _status, results = recognise(album({"a.jpg": file.getvalue()}))
    assert names(results["results"][0]) == ["barack"]
    with Image.open(tmp_path / "out" / "a.jpg") as written:
        assert written.size == face.size


def test_no_file_is_overwritten(album, recognise, two, tmp_path):
    path = album({"in/a.png": group()})
    for output in path, path / "out", tmp_path:
        with pytest.raises(CommandError, match="must not contain each other"):
            recognise(path, output)
    other = tmp_path / "other"
    other.mkdir()
    (other / "letter.txt").write_text("dear")
    with pytest.raises(CommandError, match="contains other files"):
        recognise(path, other)
    assert [each.name for each in other.iterdir()] == ["letter.txt"]
    # What a run has written, the next may.
    assert recognise(path)[1]["faces"] == recognise(path)[1]["faces"]


def test_interrupted_run_reports_its_results(album, recognise, two, tmp_path, monkeypatch):
    look = recognition.recognise

    def interrupted(places, **how):
        if places[0].name == "b.png":
            raise KeyboardInterrupt
        return look(places, **how)

    path = album({"a.png": group(), "b.png": group()})
    with monkeypatch.context() as patched, pytest.raises(CommandError) as caught:
        patched.setattr(recognition, "recognise", interrupted)
        recognise(path)
    assert caught.value.returncode == 130
    results = json.loads((tmp_path / "out" / "results.json").read_text())
    assert [each["file"] for each in results["results"]] == ["a.png"]
    assert recognise(path)[1]["faces"]["found"] == 6


def test_several_processes_do_the_same(album, recognise, two):
    path = album({f"{name}.png": group() for name in "abc"})
    _status, results = recognise(path, processes=2)
    assert [names(each) for each in results["results"]] == [["barack", None, "joe"]] * 3


def test_errors_say_what_is_missing(album, recognise, db, tmp_path):
    with pytest.raises(CommandError, match="no people to compare"):
        recognise(album({"a.png": group()}))
    (tmp_path / "empty").mkdir()
    with pytest.raises(CommandError, match="There are no pictures"):
        recognise(tmp_path / "empty")
    with pytest.raises(CommandError, match="is not a folder"):
        recognise(tmp_path / "gone")
    with pytest.raises(CommandError, match="not a whole number of 10 or more"):
        call_command("face_recognise", "album", "--output", "out", "--smallest", "2")


def group():
    """Return a picture of three people side by side, one of them a little smaller."""
    scene = Image.new("RGB", (3 * WIDTH // 2, HEIGHT), "grey")
    for place, name in enumerate(GROUP):
        person = Image.open(BytesIO(portrait(name))).convert("RGB")
        scene.paste(person, (place * WIDTH // 2, 0))
    return scene


def portrait(name):
    """Return the middle half of a webcam's frame of a person."""
    frame = Image.open(BytesIO(picture(name if " " in name else f"{name} ")))
    file = BytesIO()
    frame.crop((WIDTH // 4, 0, 3 * WIDTH // 4, HEIGHT)).save(file, "PNG")
    return file.getvalue()


def by_place(result):
    """Return a picture's faces from left to right."""
    return sorted(result["faces"], key=lambda face: face["box"][0])


def names(result):
    """Return the names in a picture from left to right."""
    return [face["name"] for face in by_place(result)]


def colour(image, face):
    """Return the colour of the box around a face."""
    left, top, _right, bottom = face["box"]
    red, green, _blue = image.getpixel((left, (top + bottom) // 2))
    return "red" if red > 2 * green else "green" if green > 2 * red else "none"
