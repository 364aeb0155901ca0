"""Health checks: the process answers, and it can log people in."""

from __future__ import annotations

import pytest
from django.db import OperationalError

from faceauth.capture import samples
from faceauth.vision import Engine

LIVE, READY = "/face/health/", "/face/health/ready/"


@pytest.fixture
def on(settings):
    settings.FACEAUTH = {**settings.FACEAUTH, "HEALTH": True}


@pytest.mark.parametrize("path", [LIVE, READY])
def test_health_checks_are_off_by_default(client, db, path):
    assert client.get(path).status_code == 404


def test_site_that_works(client, db, on):
    assert client.get(LIVE).json() == {"status": "ok"}
    response = client.get(READY)
    parts = {"database": "ok", "networks": "ok", "keys": "ok"}
    assert response.json() == {"status": "ok", "checks": parts}
    assert "no-store" in response["Cache-Control"]
    assert client.head(READY).status_code == 200
    assert client.post(READY).status_code == 405


def failing(client, caplog):
    """Return the parts that fail; check that neither answer nor log contains the reason."""
    response = client.get(READY)
    assert response.status_code == 503
    assert response.json()["status"] == "failing"
    assert "secret" not in response.text + caplog.text
    return [part for part, state in response.json()["checks"].items() if state == "failing"]


def test_database_that_does_not_answer(client, db, on, monkeypatch, caplog):
    def stopped(*args, **kwargs):
        raise OperationalError("connection refused, the password is a secret")

    with monkeypatch.context() as broken:
        broken.setattr("django.db.backends.utils.CursorWrapper.execute", stopped)
        assert failing(client, caplog) == ["database"]
        assert client.get(LIVE).status_code == 200
    assert "Not ready: database: OperationalError" in caplog.text


def test_weights_that_are_missing(client, db, on, monkeypatch, caplog):
    engine = Engine()
    monkeypatch.setattr(samples, "engine", lambda: engine)
    monkeypatch.setattr("faceauth.vision.engine.DETECTOR_FILE", "missing.dat")
    assert failing(client, caplog) == ["networks"]


def test_malformed_keys(client, db, on, settings, caplog):
    settings.FACEAUTH = {**settings.FACEAUTH, "ENCRYPTION_KEYS": ["a secret"]}
    assert failing(client, caplog) == ["keys"]
