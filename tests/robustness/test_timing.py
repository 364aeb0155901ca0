"""Who is asked for does not show: neither in the answer, nor in what is done, nor in its time."""

from __future__ import annotations

import gc
import math
import re
import time
from contextlib import ExitStack
from random import Random

import numpy as np
import pytest
from django.contrib.auth.signals import user_login_failed
from django.core import mail
from django.core.files.base import ContentFile
from django.db import connection
from django.test import Client, RequestFactory
from django.utils import timezone

from accounts.models import User
from faceauth import backends, conf, signals
from faceauth.capture import samples
from faceauth.encryption import crypto
from faceauth.liveness.conversation import NotLiveError, Reason
from faceauth.lockout import counters
from faceauth.models import FaceEvent, FailureCount
from faceauth.recognition import policy
from tests.robustness import pictures
from tests.robustness.known import Known, shots
from tests.support.limits import UNLIMITED
from tests.support.people import enrol_silently

LOGIN, FRAMES = "/face/login/", "/face/frames/"

# Who may be asked for, of the same length: they are in the page.
NOBODY = "stranger"
NAMES = ("enrolled", "faceless", "inactive", "disabled", NOBODY)


@pytest.fixture(autouse=True)
def people(db, settings):
    settings.FACEAUTH = {**settings.FACEAUTH, "LOOK_ALIKES": "allow"}
    for name in NAMES[:-1]:
        user = User.objects.create_user(name, f"{name}@example.com", "password")
        if name != "faceless":
            enrol_silently(user, shots(name, 0))
    User.objects.filter(username="inactive").update(is_active=False)
    User.objects.filter(username="disabled").update(face_disabled_at=timezone.now())


@pytest.fixture
def failed():
    """Let somebody have failed so often in a row, and have waited since."""

    def fail(name, times):
        FailureCount.objects.all().delete()
        now, user = timezone.now(), User.objects.filter(username=name).first()
        # As it is once it was, and the owner has heard of it.
        disabled = times >= conf.get().failures_before_disabling and user and user.has_face
        FailureCount.objects.create(
            key=counters.key_of("account", counters.account_id(name)),
            failures=times,
            disabled_at=now if disabled else None,
            forget_at=now + counters.KEEP_FOR["account"],
        )

    return fail


@pytest.fixture
def done(monkeypatch):
    """What is done, as it is done: queries, decryptions, comparisons, decisions, signals."""
    work = []

    def watch(module, name):
        original = getattr(module, name)

        def watched(*arguments, **named):
            work.append(name)
            return original(*arguments, **named)

        monkeypatch.setattr(module, name, watched)

    def watch_query(execute, sql, params, many, context):
        work.append(re.sub(r" .*SAVEPOINT .*|(?<=SAVEPOINT) .*", "", " ".join(sql.split()[:3])))
        return execute(sql, params, many, context)

    def heard(signal, **named):
        work.append(signal)

    watch(crypto, "unseal")
    watch(backends, "distance")
    watch(policy, "verify")
    with ExitStack() as until:
        until.enter_context(connection.execute_wrapper(watch_query))
        for signal in (user_login_failed, signals.face_login_failed, signals.face_locked):
            signal.connect(heard)
            until.callback(signal.disconnect, heard)
        yield work


def guess(name, picture, accept="application/json"):
    data = {"username": name, "snapshot": ContentFile(picture, "a.jpg")}
    return Client().post(LOGIN, data, headers={"Accept": accept})


def face(name):
    return shots(name, 1)[0].tobytes()


@pytest.mark.parametrize("accept", ["application/json", "text/html"])
@pytest.mark.parametrize("times", [0, 4, 30, 60])
def test_answer_and_work_are_the_same(done, failed, monkeypatch, accept, times):
    monkeypatch.setattr(samples, "analyse_small", Known)
    guess("somebody", face("anybody"))  # what is made once is made by then
    answers, works = {}, {}
    for name in (*NAMES, "inactive himself", "disabled herself"):
        name, _, own = name.partition(" ")
        failed(name, times)
        done.clear()
        response = guess(name, face(name if own else "anybody"), accept)
        works[name, own] = [*done]
        page = response.text.replace(f'value="{name}"', "")
        lines = [line for line in page.splitlines() if "csrfmiddlewaretoken" not in line]
        headers = {key: each for key, each in response.items() if key != "Expires"}
        answers[name, own] = response.status_code, headers, lines
    for case, answer in answers.items():
        assert works[case] == works[NOBODY, ""]
        assert answer == answers[NOBODY, ""]
    assert response.status_code == 401
    assert {"unseal", "distance", "verify", user_login_failed} <= {*works[NOBODY, ""]}
    kinds = FaceEvent.objects.exclude(user=None).values_list("kind", flat=True)
    assert {*kinds} == ({"refused", "locked"} if times == 4 else {"refused"})
    assert not mail.outbox


@pytest.mark.parametrize("reason", [Reason.OTHER_WAY, Reason.MIRRORED, Reason.ANOTHER])
def test_work_is_the_same_where_nobody_moves_as_asked(done, failed, reason):
    works = {}
    for name in NAMES:
        failed(name, 0)
        done.clear()
        request = RequestFactory().post(FRAMES)
        backends.refuse_not_live(request, NotLiveError(reason), name)
        works[name] = [*done]
    assert all(work == works[NOBODY] for work in works.values())
    assert works[NOBODY]


@pytest.mark.parametrize("times", [0, 4, 30, 60])
def test_answer_and_work_are_the_same_for_who_begins(done, failed, settings, times):
    # What a budget writes depends on the time that it took.
    settings.FACEAUTH = {**settings.FACEAUTH, "CHALLENGE": "auto"}
    settings.FACEAUTH["FRAME_CPU_SECONDS_PER_MINUTE"] = 10**9
    frame, answers, works = pictures.plain("jpeg", "astronaut"), {}, {}
    for name in ("somebody", *NAMES):
        failed(name, times)
        done.clear()
        data = {"username": name, "frame": ContentFile(frame, "a.jpg")}
        response = Client().post(FRAMES, data, headers={"Accept": "application/json"})
        works[name], answers[name] = [*done], {**response.json(), "challenge": ""}
        assert response.status_code == 200
    for name in NAMES:
        assert works[name] == works[NOBODY], name
        assert answers[name] == answers[NOBODY], name


def test_times_are_the_same(stress, settings):
    settings.FACEAUTH = {**settings.FACEAUTH, **UNLIMITED}
    for _ in range(3):
        times = measured(400 if stress else 40)
        longer = {name: chance_of_longer(times[name], times[NOBODY]) for name in NAMES[:-1]}
        print({name: f"{chance:.3f} ({z:+.1f})" for name, (chance, z) in longer.items()})
        # By chance, or on a busy machine, once; but not three times running.
        if not any(abs(z) > 4 and abs(chance - 0.5) > 0.1 for chance, z in longer.values()):
            return
    pytest.fail(f"Times tell who was asked for: {longer}")


def measured(rounds):
    """Seconds that each request took, by name, the names in turns."""
    picture, random = pictures.plain("jpeg", "astronaut"), Random(0)
    times = {name: [] for name in NAMES}
    for name in NAMES:
        guess(name, picture)
    gc.collect()
    gc.disable()
    try:
        for _ in range(rounds):
            for name in random.sample(NAMES, len(NAMES)):
                start = time.perf_counter()
                response = guess(name, picture)
                times[name].append(time.perf_counter() - start)
                assert response.status_code == 401
    finally:
        gc.enable()
    return times


def chance_of_longer(some, others):
    """How likely one of the first is longer than one of the others, and how many standard errors
    that is from evens (Mann and Whitney's test).
    """
    n, m = len(some), len(others)
    ranks = np.argsort(np.argsort([*some, *others]))[:n]
    chance = (ranks.sum() - n * (n - 1) / 2) / (n * m)
    return chance, (chance - 0.5) / math.sqrt((n + m + 1) / (12 * n * m))
