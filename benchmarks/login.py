"""Measure a login among 100 people: the whole request, compared with what tutorials do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from io import BytesIO
from statistics import median

import numpy as np
from django.contrib.auth import get_user_model
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import setup_test_environment, teardown_test_environment
from django.urls import reverse

from benchmarks.speed import Row, timed
from faceauth import enrolment
from faceauth.capture import samples
from tests.support import oracle

PEOPLE = 100


@contextmanager
def site() -> Iterator[None]:
    """Set up the site with an empty database of its own."""
    setup_test_environment()
    connection.creation.create_test_db(verbosity=0)
    try:
        yield
    finally:
        connection.creation.destroy_test_db("", verbosity=0)
        teardown_test_environment()


def compare(people: Mapping[str, list[bytes]]) -> Row:
    """Compare logins.

    faceauth's time is the login request from upload to session, the median over all pictures.
    face_recognition's is what tutorials do: encode the 100 photos of a folder again, then compare
    the picture with them.
    """
    pictures = [each for of_one in people.values() for each in of_one]
    with site():
        _enrol(people)
        ours = median(_log_in(each) for each in pictures)
    theirs = timed(lambda: _log_in_as_in_tutorials(pictures))
    return Row(f"log in among {PEOPLE} people (the whole request)", theirs, ours, 500)


def _enrol(people: Mapping[str, list[bytes]]) -> None:
    """Enrol the people in the pictures, and others made of random numbers, up to 100."""
    users = get_user_model().objects
    random = np.random.default_rng(1)
    shots = [samples.encodings(each[::6]) for each in people.values()]
    while len(shots) < PEOPLE:
        face = random.normal(size=128)
        shots.append((face + random.normal(0, 0.1, (3, 128))).astype(np.float32))
    for number, encodings in enumerate(shots):
        user = users.create(username=f"user{number}", email=f"user{number}@example.com")
        enrolment.enrol(user, encodings)


def _log_in(picture: bytes) -> float:
    client = Client()

    def post() -> None:
        upload = SimpleUploadedFile("face.jpg", picture, "image/jpeg")
        response = client.post(reverse("faceauth:login"), {"snapshot": upload})
        assert response.status_code == 302, "nobody was recognised"

    return timed(post)


def _log_in_as_in_tutorials(pictures: Sequence[bytes]) -> None:
    face_recognition = oracle.load()
    known = []
    for number in range(PEOPLE):
        image = face_recognition.load_image_file(BytesIO(pictures[number % len(pictures)]))
        known += face_recognition.face_encodings(image)
    image = face_recognition.load_image_file(BytesIO(pictures[0]))
    face_recognition.compare_faces(known, face_recognition.face_encodings(image)[0])
