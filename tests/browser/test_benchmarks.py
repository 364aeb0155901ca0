"""The benchmarks of a login run, and their tables have every figure."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest
from PIL import Image

from benchmarks import journey
from tests.support import chromium
from tests.support.requirements import unavailable
from tests.support.servers import ROOT

NUMBER = re.compile(r"\d+(\.\d+)?")


def run(name: str, *options: str) -> list[list[str]]:
    """Run a benchmark, and return the rows of its table."""
    command = [sys.executable, "-m", f"benchmarks.{name}", *options]
    done = subprocess.run(command, cwd=ROOT, env=os.environ, capture_output=True, text=True)
    if "postgres.Unavailable" in done.stderr:
        unavailable("PostgreSQL cannot be had")
    assert done.returncode == 0, done.stderr
    lines = [line for line in done.stdout.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def test_cpu_time_of_a_login():
    rows = run("challenge", "--logins", "1")
    assert rows[0][0] == "all frames and the login"
    assert all(NUMBER.fullmatch(cell) for row in rows for cell in row[1:])
    short, full = (float(cell) for cell in rows[0][1:])
    assert 0 < short < full


def test_logins_of_many_people():
    """The table says how many there were in a second, and how long they took."""
    kinds = ("encodings in memory", "one picture", "trusted device", "unknown device")
    rows = run("load", "--seconds=12", "--at-once", "2", "--rows", *kinds)
    assert [row[0].removeprefix("faceauth, ") for row in rows] == [*kinds]
    for _name, load, memory in rows:
        # Of those with a challenge, some can fail on a busy machine.
        found = re.fullmatch(r"\*\*([\d.]+)\*\*, [\d.]+ s \([\d.]+ s\)(, \d+% failed)?", load)
        assert found
        assert float(found[1]) > 0
        assert int(memory.removesuffix(" MB")) > 100


def test_a_crowd():
    """A quiet site lets everybody in, and so does one that holds half-sent requests."""
    options = ("--logins=1", "--rounds=1", "--pictures=20")
    quiet, _pictures, half_sent = run("crowd", *options)
    assert [row[3] for row in (quiet, half_sent)] == ["1 of 1"] * 2
    assert all(NUMBER.fullmatch(row[-1]) for row in (quiet, half_sent))


def test_many_photos(tmp_path, faces):
    """The table has the photos of a folder, and the faces of group pictures made of them."""
    for name in ("astronaut", "biden", "obama"):
        photo = tmp_path / name / "photo.jpg"
        photo.parent.mkdir()
        photo.write_bytes(faces[name])
    photos, found = run("bulk", str(tmp_path), "--groups=1")
    assert photos[0] == "3 photos, face_enrol"
    assert re.fullmatch(r"[1-9]\d* faces, face_recognise", found[0])
    assert all(float(row[1]) > 0 for row in (photos, found))


def test_how_long_people_wait():
    if problem := chromium.problem():
        unavailable(problem)
    rows = run("journey", "--logins", "1")
    assert [row[-1] for row in rows] == ["2.5", "5.0", "8.0", "12.0", "6.0", "6.0"]
    for _name, whole, _spread, camera, *_rest in rows:
        assert float(whole) > float(camera) > journey.CAMERA


def test_film_of_a_login(tmp_path):
    if problem := chromium.problem():
        unavailable(problem)
    command = [sys.executable, "-m", "docs.film", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    for folder in tmp_path, ROOT / "docs":
        film = folder / "login.webp"
        assert film.stat().st_size < 400_000
        with Image.open(film) as frames:
            assert getattr(frames, "n_frames", 1) > 5
        with Image.open(folder / "login.png") as still:
            assert still.size == (1080, 720)


@pytest.mark.smoke
def test_journey_from_what_a_page_tells():
    notes = journey.Notes()
    for name, at in (("open", 1000), ("camera", 1800), ("face", 2000), ("shown /login/", 1100)):
        notes.note(name, at)
    # A second challenge, after one that failed.
    for name, at in (("passed", 3000), ("passed", 5000), ("shown /next/", 5500)):
        notes.note(name, at)
    found = notes.journey("shown /next/")
    assert found.seconds == pytest.approx(4.5)
    assert found.stages == pytest.approx({"camera": 0.8, "face": 1.0, "passed": 4.0})
    notes.clear()
    assert notes.first("open") is None


@pytest.mark.smoke
def test_cpu_time_of_a_process():
    assert journey.cpu_of(os.getpid()) > 0
    assert journey.cpu_of(2**31) is None
