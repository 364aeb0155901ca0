"""Processes that are killed while they write: whoever has a face keeps one, the old or the new."""

from __future__ import annotations

import os
import random
import signal
import time

import numpy as np
import pytest
from cryptography.fernet import Fernet
from django.core.management import call_command

from accounts.models import User
from faceauth.encryption import crypto
from tests.robustness.known import shots
from tests.support.people import enrol_silently
from tests.support.servers import conversing

NAMES = [f"user{number}" for number in range(60)]
KEYS = [Fernet.generate_key().decode() for _ in range(3)]


@pytest.fixture
def kills(stress):
    return 20 if stress else 3


@pytest.fixture
def use(settings):
    """Set the keys: `use(KEYS[0])`."""

    def keys(*given):
        more = {"ENCRYPTION_KEYS": given, "LOOK_ALIKES": "allow"}
        settings.FACEAUTH = {**settings.FACEAUTH, **more}

    return keys


@pytest.fixture(scope="module")
def worker(django_db_setup):
    worker = Worker()
    yield worker
    worker.close()


def make_people():
    for name in NAMES:
        user = User.objects.create_user(name, f"{name}@example.com", "password")
        enrol_silently(user, shots(name, 0))


def test_killed_enrolment_leaves_the_old_face_or_the_new(transactional_db, use, worker, kills):
    use()
    make_people()
    times, last = dict.fromkeys(NAMES, 0), 0
    for _ in range(kills):
        told = worker.killed("enrol", last + 1)
        times |= {name: int(time) for what, time, name in told if what == "done"}
        what, last, name = told[-1][0], int(told[-1][1]), told[-1][2]
        users = {user.username: user for user in User.objects.all()}
        if what == "begin" and name in users and is_of(users[name], last):
            times[name] = last
        # Those who signed up have an account and a face, or neither.
        assert users.keys() == times.keys()
        assert [name for name, time in times.items() if not is_of(users[name], time)] == []
    print(f"{last} enrolments, {len(times) - len(NAMES)} sign-ups")


def test_killed_rotation_leaves_every_face_readable(transactional_db, use, worker, kills):
    keys, between = [*KEYS], 0
    use(keys[0])
    make_people()
    for _ in range(kills):
        _, new, old = worker.killed("rotate", *keys)[-1]
        use(new, old)
        rotated = User.objects.filter(face_encodings__begins_with=crypto.current_header()).count()
        between += 0 < rotated < len(NAMES)
        assert all(is_of(user, 0) for user in User.objects.all())
        call_command("face_rotate_keys")
        use(new)
        assert all(is_of(user, 0) for user in User.objects.all())
        while keys[0] != new:
            keys.append(keys.pop(0))
    print(f"{between} of {kills} were killed between two keys")


def is_of(user, time):
    """Whether the user's face is readable, and the one that was enrolled at that time."""
    face = shots(user.username, time)
    return user.has_face and np.allclose(user.face_encodings, face, atol=1e-5)


class Worker:
    """Does one task after another, each until it is killed."""

    def __init__(self):
        self._process = conversing("tests.robustness.worker")

    def killed(self, *task):
        """What was told by the time it was killed, in the middle of what it does."""
        print(*task, file=self._process.stdin)
        (*_, (_, process)) = self._until("process")
        told = self._until("done")
        time.sleep(random.uniform(0, 1))
        os.kill(int(process), signal.SIGKILL)
        told += self._until("over")
        return [line for line in told if line[0] in ("begin", "done")]

    def close(self):
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait(timeout=10)

    def _until(self, word):
        """Everything that is told up to a line that begins with it, in words."""
        lines = []
        for line in self._process.stdout:
            lines.append(line.split() or [""])
            if lines[-1][0] == word:
                return lines
            if lines[-1][0] == "over":
                break
        pytest.fail("\n".join(map(" ".join, lines)))
