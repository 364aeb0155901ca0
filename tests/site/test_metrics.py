"""The numbers that Prometheus collects: events, durations, and nothing about a single user."""

from __future__ import annotations

import re
import subprocess
import sys
from base64 import b64encode

import pytest
from django.test import RequestFactory
from django.urls import path
from prometheus_client import REGISTRY

from config import urls
from faceauth import checks, metrics
from faceauth.audit import timings
from faceauth.gallery import gallery
from tests.site.test_production import ROOT, environment
from tests.support.people import picture

LOGIN = "/face/login/"

urlpatterns = [*urls.urlpatterns, path("metrics/", metrics.metrics)]


@pytest.fixture
def on(settings):
    settings.ROOT_URLCONF = __name__
    settings.FACEAUTH = {**settings.FACEAUTH, "METRICS": True}


@pytest.fixture
def more():
    """Return how much a number has grown since the test began."""
    before = {}

    def number(name, **labels):
        return REGISTRY.get_sample_value(name, labels) or 0

    for each in REGISTRY.collect():
        for sample in each.samples:
            before[sample.name, tuple(sorted(sample.labels.items()))] = sample.value
    return lambda name, **labels: (
        number(name, **labels) - before.get((name, tuple(sorted(labels.items()))), 0)
    )


def requests(outcome, view="faceauth:login"):
    return {"name": "faceauth_requests_total", "address": view, "outcome": outcome}


def test_requests_by_what_became_of_them(ask, on, obama, upload, more):
    ask(LOGIN, username="obama", snapshot=upload("obama2"))
    ask(LOGIN, username="obama", snapshot=upload("biden"))
    ask(LOGIN, snapshot=upload(b"text"))
    ask(LOGIN, snapshot=upload(b"x" * 60_000_000))
    ask("/face/frames/", frame=upload("obama"), pose="straight")
    for outcome, count in {"ok": 1, "not_recognised": 1, "unsupported_type": 1}.items():
        assert more(**requests(outcome)) == count, outcome
    assert more(**requests("too_large")) == 1
    assert more(**requests("ok", "faceauth:frames")) == 1


def test_events(ask, on, obama, upload, more):
    ask(LOGIN, username="obama", snapshot=upload("obama2"))
    ask(LOGIN, snapshot=upload("biden"))
    name = "faceauth_events_total"
    assert more(name, kind="login", mode="username", outcome="accepted") == 1
    assert more(name, kind="refused", mode="alone", outcome="too_far") == 1


def test_stages(ask, on, obama, upload, more):
    ask(LOGIN, snapshot=upload("obama2"))
    for stage, count in {"decode": 1, "find": 1, "encode": 1, "wait": 2, "search": 1}.items():
        assert more("faceauth_stage_seconds_count", stage=stage) == count, stage
        assert REGISTRY.get_sample_value("faceauth_stage_now", {"stage": stage}) == 0
    assert 0.001 < more("faceauth_stage_seconds_sum", stage="find") < 60


def test_how_long_logins_take(on, db, more):
    phone = RequestFactory(headers={"User-Agent": "Mozilla/5.0 (iPhone; ...) Mobile"}).post(LOGIN)
    timings.record(phone, '{"camera": 0.75, "face": 1, "steps": 2}', 0.3)
    name = "faceauth_login_stage_seconds"
    for stage, seconds in {"camera": 0.75, "face": 1, "steps": 2, "answer": 2.3}.items():
        assert more(f"{name}_sum", stage=stage, device="phone") == pytest.approx(seconds)
    assert more(f"{name}_bucket", stage="answer", device="phone", le="2.0") == 0
    assert more(f"{name}_bucket", stage="answer", device="phone", le="2.5") == 1


def test_people(ask, on, obama, enrolled, upload):
    ask(LOGIN, snapshot=upload("biden"))
    assert REGISTRY.get_sample_value("faceauth_gallery_people") == 1
    enrolled("eileen", "astronaut")
    ask(LOGIN, snapshot=upload("biden"))
    assert REGISTRY.get_sample_value("faceauth_gallery_people") == 2 == len(gallery())


def test_what_prometheus_reads(client, ask, on, obama, upload):
    ask(LOGIN, username="obama", snapshot=upload("obama2"))
    ask(LOGIN, username="<b>somebody", snapshot=upload("obama2"))
    client.get("/face/" + "x" * 30)
    response = client.get("/metrics/")
    assert response["Content-Type"].startswith("text/plain")
    assert 'faceauth_requests_total{address="faceauth:login",outcome="ok"}' in response.text
    for name in ("obama", "somebody", "127.0.0"):
        assert name not in response.text
    assert client.post("/metrics/").status_code == 405


def test_nothing_leads_there_by_itself(client, db, settings):
    settings.FACEAUTH = {**settings.FACEAUTH, "METRICS": True}
    for address in ("/metrics/", "/face/metrics/"):
        assert client.get(address).status_code == 404


def test_off_is_off(client, ask, on, settings, obama, upload, more):
    settings.FACEAUTH = {**settings.FACEAUTH, "METRICS": False}
    ask(LOGIN, username="obama", snapshot=upload("obama2"))
    assert more(**requests("ok")) == 0
    assert client.get("/metrics/").status_code == 404


def test_off_it_is_not_even_loaded():
    code = "import config.urls, sys; print('prometheus_client' in sys.modules)"
    command = [sys.executable, "manage.py", "shell", "-v0", "-c", code]
    done = subprocess.run(command, cwd=ROOT, env=environment(), capture_output=True, text=True)
    assert done.stdout.split() == ["False"], done.stderr


def test_without_the_library_the_site_works(ask, client, on, obama, upload, monkeypatch):
    monkeypatch.setattr(metrics, "installed", lambda: False)
    assert ask(LOGIN, username="obama", snapshot=upload("obama2"))[0] == 200
    assert client.get("/metrics/").status_code == 404


def test_processes_count_together(tmp_path):
    """Two processes count, and a third reports the sum."""
    body = b64encode(picture("astronaut")).decode()
    work = f"""
import json
from django.test import Client
from faceauth.lockout import budget
budget.check = budget._spend = lambda *request: None  # there is no database
told = Client(headers={{"host": "faceauth.example.com"}}).post("/face/frames/",
    json.dumps({{"frame": "{body[:100]}", "pose": "any"}}),
    content_type="application/json", secure=True)
print(told.status_code)
"""
    tell = """
from django.test import RequestFactory
from faceauth.metrics import metrics
print(metrics(RequestFactory().get("/")).content.decode())
"""
    variables = {
        **environment(),
        metrics.MULTIPROC_DIR: str(tmp_path),
        "DJANGO_SETTINGS_MODULE": "tests.site.measured",
    }

    def run(code):
        command = [sys.executable, "-c", f"import django; django.setup()\n{code}"]
        return subprocess.run(command, cwd=ROOT, env=variables, capture_output=True, text=True)

    for _ in range(2):
        done = run(work)
        assert done.stdout.split() == ["400"], done.stderr
    told = run(tell)
    line = 'faceauth_requests_total{address="faceauth:frames",outcome="bad_image"} 2.0'
    assert line in told.stdout, told.stderr
    assert re.search(r'stage_seconds_count\{stage="decode"\} 2.0', told.stdout)


def test_what_keeps_the_numbers_away_is_said(settings, monkeypatch, tmp_path):
    monkeypatch.delenv(metrics.MULTIPROC_DIR, raising=False)
    assert checks.check_metrics(None) == []
    settings.FACEAUTH = {**settings.FACEAUTH, "METRICS": True}
    assert [each.id for each in checks.check_metrics(None)] == ["faceauth.W021"]
    monkeypatch.setenv(metrics.MULTIPROC_DIR, str(tmp_path))
    assert checks.check_metrics(None) == []
    monkeypatch.setattr(metrics, "installed", lambda: False)
    assert [each.id for each in checks.check_metrics(None)] == ["faceauth.E016"]
