"""How long logins take is kept, and neither who logged in nor when exactly."""

from __future__ import annotations

import json

import pytest
import time_machine
from django.db import DatabaseError
from django.test import RequestFactory

from faceauth.audit import timings
from faceauth.models import LoginTiming
from tests.site.conftest import PASSWORD

pytestmark = pytest.mark.postgres

AGENTS = {
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/131.0 Safari/537.36": "computer",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:133.0) Gecko/20100101 Firefox/133.0": "computer",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Version/18.1 Safari/605.1.15": "computer",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) Mobile/15E148 Safari/604.1": "phone",
    "Mozilla/5.0 (Linux; Android 10; K) Chrome/131.0.0.0 Mobile Safari/537.36": "phone",
    "Mozilla/5.0 (Android 15; Mobile; rv:133.0) Gecko/133.0 Firefox/133.0": "phone",
    "Mozilla/5.0 (iPad; CPU OS 18_1 like Mac OS X) Mobile/15E148 Safari/604.1": "tablet",
    "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 Chrome/131.0 Safari/537.36": "tablet",
    "Mozilla/5.0 (Android 15; Tablet; rv:133.0) Gecko/133.0 Firefox/133.0": "tablet",
    "": "computer",
}


def request(agent=""):
    return RequestFactory(headers={"User-Agent": agent}).post("/face/login/")


@pytest.mark.parametrize(("agent", "kind"), AGENTS.items())
def test_kinds_of_devices(db, agent, kind):
    timings.record(request(agent), '{"steps": 1}', 0.1)
    assert LoginTiming.objects.get().kind == kind


@time_machine.travel("2026-11-28T09:41:27+00:00", tick=False)
def test_answer_comes_after_the_steps_by_the_time_of_the_server(db):
    timings.record(request(), '{"camera": 0.75, "face": 1, "steps": 2.25, "more": "x"}', 0.25)
    kept = LoginTiming.objects.values("camera", "face", "steps", "answer", "kind", "at").get()
    at = kept.pop("at")
    assert kept == {"camera": 0.75, "face": 1, "steps": 2.25, "answer": 2.5, "kind": "computer"}
    assert at.isoformat() == "2026-11-28T09:00:00+00:00"


def test_stages_that_did_not_happen(db):
    timings.record(request(), '{"camera": null, "face": null, "steps": 7}', 1)
    timings.record(request(), '{"camera": 1.5}', 1)
    rows = LoginTiming.objects.order_by("pk").values_list("camera", "face", "steps", "answer")
    assert [*rows] == [(None, None, 7, 8), (1.5, None, None, None)]


@pytest.mark.parametrize(
    "posted",
    [
        "",
        "{}",
        "[1, 2, 3]",
        "null",
        "2.5",
        "camera=1",
        '{"camera": 1, "face": 0.5, "steps": 2}',
        '{"camera": -1}',
        '{"steps": 600.1}',
        '{"steps": 1e999}',
        '{"steps": Infinity}',
        '{"steps": NaN}',
        '{"steps": "2"}',
        '{"steps": true}',
        '{"steps": [2]}',
        '{"steps": {"a": 1}}',
        '{"steps": 1' + "0" * 150 + "}",
        '{"steps": 2, "more": "' + "x" * 200 + '"}',
        "[" * 150,
        "\x00",
        "\ud800",
    ],
)
def test_what_cannot_be_true_is_ignored(db, posted):
    timings.record(request(), posted, 0.1)
    assert not LoginTiming.objects.exists()


def test_login_does_not_fail_with_it(db, monkeypatch, caplog):
    def refuse(**fields):
        raise DatabaseError("camera 0.75")

    monkeypatch.setattr(LoginTiming.objects, "create", refuse)
    timings.record(request(), json.dumps({"steps": 2}), 0.1)
    assert "could not be saved: DatabaseError" in caplog.text
    assert "0.75" not in caplog.text


POSTED = '{"camera": 0.75, "face": 1, "steps": 2}'


def test_logins_by_face_are_recorded(ask, obama, upload):
    status, _answer = ask(
        "/face/login/", username="obama", snapshot=upload("obama2"), timings=POSTED
    )
    kept = LoginTiming.objects.get()
    assert status == 200
    assert (kept.camera, kept.face, kept.steps) == (0.75, 1, 2)
    assert 2 < kept.answer < 30


def test_logins_that_go_on_to_the_code_are_recorded_whoever_it_was(ask, obama, upload, settings):
    settings.FACEAUTH = {**settings.FACEAUTH, "UNKNOWN_DEVICES": "code"}
    for name in ("obama", "nobody"):
        _status, answer = ask(
            "/face/login/", username=name, snapshot=upload("obama2"), timings=POSTED
        )
        assert answer["code_required"]
    assert LoginTiming.objects.count() == 2


def test_refusals_and_passwords_are_not_recorded(ask, obama, upload):
    fields = {"username": "obama", "timings": POSTED}
    assert ask("/face/login/", snapshot=upload("biden"), **fields)[0] == 401
    assert ask("/face/login/", password=PASSWORD, **fields)[0] == 200
    assert not LoginTiming.objects.exists()


@pytest.mark.parametrize("posted", ["", "{", POSTED * 1000, '{"steps": "\\u0000"}'])
def test_login_with_nonsense_logs_in(ask, obama, upload, posted):
    fields = {"username": "obama", "timings": posted}
    assert ask("/face/login/", snapshot=upload("obama2"), **fields)[0] == 200
    assert not LoginTiming.objects.exists()
