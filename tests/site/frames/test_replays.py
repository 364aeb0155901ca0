"""A film of an earlier login does not log in again."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
import pytest
from cryptography.fernet import Fernet
from django.core.management import call_command

from accounts.models import User
from faceauth import enrolment
from faceauth.liveness import replay
from faceauth.liveness.replay import WITHIN
from faceauth.liveness.sightings import Sighting
from faceauth.liveness.takes import Take
from faceauth.models import FaceDevice, FaceTake
from faceauth.privacy import export
from tests.site.conftest import JSON, username_of
from tests.site.frames.conftest import LOGIN, jpeg, outcomes
from tests.support.mail import code
from tests.support.person import Person

REPLAYED = "We can’t tell that you are here in person. Sit a little differently and try again."


class Filmed(Person):
    """A person of whose login a film is kept."""

    def __init__(self, name: str, **more: float) -> None:
        super().__init__(name, **more)  # type: ignore[arg-type]
        self.film: list[bytes] = []

    def jpeg_for(self, step: str, since: float) -> bytes:
        self.film.append(super().jpeg_for(step, since))
        return self.film[-1]


class Screen(Person):
    """A film, each of whose pixels is one level brighter than the original."""

    def __init__(self, film: list[bytes]) -> None:
        self.frames: Iterator[bytes] = iter(film)

    def jpeg_for(self, step: str, since: float) -> bytes:
        picture = cv2.imdecode(np.frombuffer(next(self.frames), np.uint8), cv2.IMREAD_COLOR)
        assert picture is not None
        return jpeg(cv2.add(picture, np.ones_like(picture)))


@pytest.fixture(autouse=True)
def noticed(monkeypatch, new_takes, drawn):
    """Let replays be noticed, and each challenge be the same step."""
    monkeypatch.setattr(replay, "WITHIN", WITHIN)
    drawn("left")


@pytest.fixture
def logged_in(client, obama, visit):
    """Log obama in, and return the film of it."""
    person = Filmed("obama")
    page = visit(person=person)
    page.until_step()
    assert page.follow() == 200
    assert page.log_in().status_code == 200
    client.logout()
    return person.film


def take(seed: int = 0) -> Take:
    random = np.random.default_rng(seed)
    turns = 2 * np.arange(10) + random.normal(0, 3, (2, 10))
    seen = [
        Sighting(number / 8, yaw, pitch, 1.0, 0.0, 0.4, 0.5, 0.5)
        for number, (yaw, pitch) in enumerate(turns.T)
    ]
    return Take.of(seen, random.normal(0, 0.1, (3, 128)).astype(np.float32))


@pytest.mark.real
def test_the_same_frames_changed_by_one_level_do_not_log_in(client, logged_in, visit):
    page = visit(person=Screen(logged_in))
    page.until_step()
    assert page.follow() == 200
    assert page.passed
    response = page.log_in()
    assert response.status_code == 400
    assert response.json()["error"]["code"] == "challenge_failed"
    assert response.json()["error"]["message"] == REPLAYED
    assert username_of(client) is None
    assert outcomes() == ["accepted", "not_live:replayed"]
    assert FaceTake.objects.count() == 1


@pytest.mark.real
def test_where_a_code_follows_a_film_does_not_learn_that_the_face_was_right(
    client, logged_in, visit, challenge
):
    challenge("full", UNKNOWN_DEVICES="code")
    page = visit(person=Screen(logged_in))
    page.until_step()
    assert page.follow() == 200
    response = page.log_in()
    assert response.status_code == 200
    assert response.json()["code_required"]
    # Whoever has the code as well does.
    response = client.post(LOGIN, {"code": code()}, headers=JSON)
    assert response.json()["error"]["message"] == REPLAYED
    assert username_of(client) is None
    assert outcomes()[-1] == "not_live:replayed"
    assert FaceTake.objects.count() == 1


@pytest.mark.real
def test_movement_of_a_stranger_who_has_no_code_is_not_kept(client, obama, visit, challenge):
    challenge("short", UNKNOWN_DEVICES="code")
    page = visit(person="obama2")
    page.until_step()
    assert page.follow() == 200
    assert page.log_in().json()["code_required"]
    assert not FaceTake.objects.exists()
    assert client.post(LOGIN, {"code": code()}, headers=JSON).status_code == 200
    assert FaceTake.objects.get().user == obama


@pytest.mark.real
def test_another_live_login_is_accepted(client, logged_in, visit):
    page = visit(person=Person("obama2", reaction=0.45, movement=0.6, seed=5))
    page.until_step()
    assert page.follow() == 200
    assert page.log_in().status_code == 200
    assert username_of(client) == "obama"
    assert FaceTake.objects.count() == 2


def test_takes_of_the_user_and_of_the_device_are_compared(obama, django_user_model):
    other = django_user_model.objects.create_user("other", "other@example.com")
    device, another = FaceDevice.objects.create(), FaceDevice.objects.create()
    replay.remember(obama, device, take())
    assert replay.is_replay(obama, None, take())
    assert replay.is_replay(other, device, take())
    assert not replay.is_replay(other, another, take())
    assert not replay.is_replay(other, None, take())
    assert not replay.is_replay(obama, device, take(1))


def test_the_newest_takes_are_kept(obama, monkeypatch):
    monkeypatch.setattr(replay, "KEPT", 3)
    for seed in range(5):
        replay.remember(obama, None, take(seed))
    assert [replay.is_replay(obama, None, take(seed)) for seed in range(5)] == [0, 0, 1, 1, 1]


def test_nobody_can_read_a_take_without_the_key(obama, settings):
    replay.remember(obama, None, take())
    settings.SECRET_KEY = "another"
    assert not replay.is_replay(obama, None, take())
    replay.remember(obama, None, take())
    assert replay.is_replay(obama, None, take())


def test_takes_are_encrypted_with_the_new_key(obama, settings, capsys):
    old, new = (Fernet.generate_key().decode() for _ in range(2))
    settings.FACEAUTH = {**settings.FACEAUTH, "ENCRYPTION_KEYS": [old]}
    replay.remember(obama, None, take())
    FaceTake.objects.create(user=obama, take=b"no key opens it")
    settings.FACEAUTH = {**settings.FACEAUTH, "ENCRYPTION_KEYS": [new, old]}
    call_command("face_rotate_keys")
    assert "movements at logins, rotated or deleted: 2." in capsys.readouterr().out
    settings.FACEAUTH = {**settings.FACEAUTH, "ENCRYPTION_KEYS": [new]}
    assert replay.is_replay(obama, None, take())
    assert FaceTake.objects.count() == 1


def test_people_get_their_movements_and_can_remove_them(obama):
    replay.remember(obama, None, take())
    (movement,) = export.export(obama)["movements"]
    assert len(movement["seconds"]) == len(movement["yaw_pitch_roll_and_log_of_size"]) == 10
    enrolment.remove(User.objects.get())
    assert not FaceTake.objects.exists()
