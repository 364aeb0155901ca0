from __future__ import annotations

import pytest

from faceauth.enrolment import shots
from faceauth.enrolment.shots import Source
from faceauth.vision.quality import Quality

GOOD = Quality(200, 60.0, 0.5, 0.4, 0.01, 0.5)


def enrolled(count):
    return [{"source": "webcam", "number": number} for number in range(count)]


def login(number):
    return {"source": "login", "number": number}


def numbers(notes):
    return [each["number"] for each in notes]


def test_note_says_how_good_a_picture_was_and_nothing_of_the_face():
    note = shots.note(Source.FILE, GOOD)
    assert set(note) == {
        "at",
        "source",
        "head_size",
        "luminance_mean",
        "sharpness",
        "head_pose_yaw",
    }
    assert shots.measures(note) == (1, 1, 1)
    read = shots.read(note)
    assert (read.source, read.direction) == ("file", "straight ahead")
    assert read.at is not None


def test_note_on_an_encoding_that_came_alone_knows_nothing_of_a_picture():
    (note,) = shots.notes(Source.ELSEWHERE, [None])
    assert shots.measures(note) is None
    assert shots.read(note).direction == ""
    assert shots.quality([note]) is None


@pytest.mark.parametrize(("yaw", "looks"), [(0.3, "to their left"), (-0.3, "to their right")])
def test_note_says_where_the_person_looked(yaw, looks):
    note = shots.note(Source.WEBCAM, GOOD._replace(head_pose_yaw=yaw))
    assert shots.read(note).direction == looks


@pytest.mark.parametrize(
    ("worse", "share"),
    [
        ({"head_size": 75}, 0.5),
        ({"sharpness": 0.17}, 0.5),
        ({"luminance_mean": 0.125}, 0.5),
        ({"luminance_mean": 0.875}, 0.5),
        ({"luminance_mean": 1.0}, 0.0),
        ({"head_size": 2000}, 1.0),
    ],
)
def test_picture_is_as_good_as_what_is_worst_about_it(worse, share):
    notes = shots.notes(Source.WEBCAM, [GOOD._replace(**worse), GOOD])
    assert shots.quality(notes) == pytest.approx((share + 1) / 2, abs=0.01)


@pytest.mark.parametrize("count", [2, 3, 4, 5])
def test_adaptation_replaces_the_stalest_of_the_second_half(count):
    notes = enrolled(count)
    shown = numbers(notes)
    first = (count + 1) // 2
    for number in range(10, 20):
        notes = shots.adapted(notes, login(number))
        shown = [*shown[:first], *shown[first + 1 :], number]
        assert numbers(shots.current(notes)) == shown
        assert len(notes) <= count + count // 2
    assert numbers(shots.as_enrolled(notes)) == list(range(count))


def test_where_nothing_is_known_adaptation_adds_nothing():
    assert shots.adapted(None, login(1)) is None
    assert shots.as_enrolled(None) is None
    assert shots.current(None) == []


@pytest.mark.parametrize(
    ("names", "source"),
    [
        (["picture.jpg"] * 2, Source.WEBCAM),
        (["picture.jpg", "me.png"], Source.FILE),
        ([None], Source.FILE),
    ],
)
def test_pictures_that_the_page_took_are_told_from_files(names, source):
    assert shots.source_of(names) is source


def test_source_of_another_version_is_shown_as_it_is():
    assert shots.read({"source": "scanner"}).source == "scanner"
