"""Frames that cannot be used."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import numpy as np
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

from faceauth.models import FaceChallenge, FailureCount
from tests.site.conftest import JSON
from tests.site.frames.conftest import jpeg, picture
from tests.support.conversing import FRAMES
from tests.support.person import Person
from tests.support.webcam import empty_room
from tests.unit.vision.test_images import huge_png, png_chunk


@pytest.mark.parametrize(
    ("make", "status", "code"),
    [
        (lambda: b"", 400, "bad_image"),
        (lambda: b"This is text with a picture's name.", 415, "unsupported_type"),
        (lambda: jpeg(empty_room())[:500], 400, "bad_image"),
        (lambda: huge_png(6_000, 5_000), 413, "too_large"),
        (lambda: b"x" * 30_000_000, 413, "too_large"),
    ],
    ids=["0 bytes", "text", "truncated", "30 megapixels", "30 MB"],
)
def test_files_that_are_no_usable_picture(visit, obama, drawn, make, status, code):
    drawn("left")
    page = visit()
    assert (page.send(make()), page.code) == (status, code)
    page.until_step()
    number = page.number
    assert (page.send(make()), page.code) == (status, code)
    assert page.message
    # The challenge goes on as if nothing had come.
    page.follow()
    assert page.passed
    assert page.number > number
    assert page.log_in().status_code == 200
    assert not FailureCount.objects.exists()


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "lossless WEBP", "transparent WEBP"])
def test_frame_of_more_than_half_a_megapixel_is_refused_by_its_header(visit, kind, monkeypatch):
    page, options = visit(), {"lossless": True} if "lossless" in kind else {}
    mode = "RGBA" if "transparent" in kind else "RGB"
    for width, height, status in ((800, 625, 200), (800, 626, 413)):
        saved = BytesIO()
        Image.new(mode, (width, height)).save(saved, kind.rpartition(" ")[2], **options)
        if status == 413:
            monkeypatch.setattr("faceauth.vision.images.Image.open", pytest.fail)
        assert page.send(saved.getvalue()) == status
    assert page.code == "too_large"
    assert page.message == "The picture is too large. Use a smaller one."


def test_size_that_a_header_hides_is_noticed_before_the_pixels_are_read(visit, monkeypatch):
    page, large = visit(), BytesIO()
    Image.new("RGB", (5000, 5000)).save(large, "PNG")
    # PNG files begin with their size; Pillow reads it wherever it is.
    hidden = large.getvalue()[:8] + png_chunk(b"tEXt", b"\0\0\0\1\0\0\0\1") + large.getvalue()[8:]
    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", pytest.fail)
    assert (page.send(hidden), page.code) == (413, "too_large")


def test_frame_of_more_than_256_kilobytes_is_refused(visit):
    page, frame = visit(), Person("obama").jpeg_for("", 0)
    assert page.send(frame + bytes(256 * 1024 - len(frame))) == 200
    assert page.send(frame + bytes(256 * 1024 - len(frame) + 1)) == 413


def test_request_larger_than_three_frames_is_refused_before_it_is_read(client, db):
    body = {"frame": SimpleUploadedFile("a.jpg", bytes(1_200_000)), "pose": "any"}
    with pytest.MonkeyPatch.context() as unread:
        unread.setattr("django.http.HttpRequest.parse_file_upload", pytest.fail)
        response = client.post(FRAMES, body, headers=JSON)
    assert (response.status_code, response.json()["error"]["code"]) == (413, "too_large")


def test_file_made_to_take_long_is_refused(visit):
    page = visit()
    assert page.send(scans(10)) == 200
    assert (page.send(scans(20_000)), page.code) == (400, "bad_image")
    frame = jpeg(empty_room())
    comments = b"\xff\xfe\0\2" * 50_000
    assert (page.send(frame[:2] + comments + frame[2:]), page.code) == (400, "bad_image")


def scans(count: int) -> bytes:
    """Return a progressive file, the last scan of which comes again and again."""
    saved = BytesIO()
    Image.new("L", (800, 600), 90).save(saved, "JPEG", progressive=True, quality=50)
    data = saved.getvalue()
    last = data[data.rfind(b"\xff\xda") : -2]
    return data[:-2] + last * count + data[-2:]


@pytest.mark.parametrize("size", [(1, 1), (2000, 4), (29, 29)])
def test_picture_that_no_face_fits_into(visit, size):
    page = visit()
    assert page.send(jpeg(np.full((*size, 3), 90, np.uint8))) == 200
    assert page.answer["code"] == "no_face"


def test_no_frame_and_too_many(visit, client, db):
    response = client.post(FRAMES, {"number": 1}, headers=JSON)
    assert response.json()["error"]["code"] == "missing_snapshot"
    page = visit()
    assert (page.send(*[page.jpeg()] * 4), page.code) == (413, "too_large")
    assert not FaceChallenge.objects.exists()


def test_somebody_who_comes_into_the_picture_during_the_steps(visit, drawn, obama):
    drawn("left", "up")
    page, other = visit(), picture(Person("biden").jpeg_for("", 0))[:, 140:500]
    wall = np.full_like(other, 90)

    def follow(beside: Any, count: int) -> None:
        for _frame in range(count):
            page.wait()
            assert page.send(jpeg(np.hstack([picture(page.jpeg()), beside]))) == 200, page.answer

    follow(wall, 4)
    assert page.step == "left"
    follow(other, 20)
    assert (page.step, page.answer["code"]) == ("up", "several_faces")
    assert page.message.startswith("We can see more than one face.")
    page.wait()
    assert page.send(jpeg(np.hstack([picture(page.jpeg()), wall]))) == 200
    assert page.passed


def test_nobody_and_two_people(visit, drawn):
    drawn("left")
    page = visit()
    half = slice(140, 500)
    halves = [picture(Person(name).jpeg_for("", 0))[:, half] for name in ("obama", "biden")]
    both = jpeg(np.hstack(halves))
    for _ in range(3):
        assert page.send(both) == 200
        assert (page.answer["state"], page.answer["code"]) == ("look", "several_faces")
        assert page.answer["faces"] == 2
    page.until_step()
    # Somebody who leaves the picture for a moment may come back.
    page.wait()
    assert page.send(jpeg(empty_room())) == 200
    assert (page.answer["ok"], page.answer["code"]) == (False, "no_face")
    assert page.answer["step"]["name"] == "left"
    page.follow()
    assert page.passed
