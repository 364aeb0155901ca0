from __future__ import annotations

import pytest

from faceauth.errors import TooManyPictures
from faceauth.http import rate_limit
from tests.site.conftest import JSON, username_of
from tests.support.people import OBAMA

PREVIEW, ENROL = "/face/preview/", "/face/enrol/"


def test_previews_are_limited(client, db, upload, settings, monkeypatch):
    settings.FACEAUTH = {**settings.FACEAUTH, "PREVIEWS_PER_MINUTE": 2}
    monkeypatch.setattr("faceauth.http.rate_limit.time.time", lambda: 1_000_000_000.0)
    post = client.post
    for _ in range(2):
        assert post(PREVIEW, {"snapshot": upload("obama")}, headers=JSON).status_code == 200
    monkeypatch.setattr("faceauth.capture.samples.analyse_picture", pytest.fail)
    response = post(PREVIEW, {"snapshot": upload("obama")}, headers=JSON)
    assert (response.status_code, response["Retry-After"]) == (429, "20")
    assert response.json()["error"]["code"] == "too_many_attempts"
    other = {"REMOTE_ADDR": "203.0.113.9"}
    assert post(PREVIEW, headers=JSON, **other).status_code == 400
    monkeypatch.setattr("faceauth.http.rate_limit.time.time", lambda: 1_000_000_020.0)
    assert post(PREVIEW, headers=JSON).status_code == 400


def test_cache_that_forgets_early_counts_the_whole_hour(settings, tmp_path, monkeypatch):
    backend = "django.core.cache.backends.filebased.FileBasedCache"
    settings.CACHES = {"default": {"BACKEND": backend, "LOCATION": str(tmp_path)}}

    def enrol(minute):
        now = 3600.0 * 500_000 + 60 * minute
        monkeypatch.setattr("faceauth.http.rate_limit.time.time", lambda: now)
        rate_limit.enforce("enrol", 1, 2, rate_limit.HOUR)

    enrol(0)
    enrol(20)
    with pytest.raises(TooManyPictures) as error:
        enrol(40)
    assert error.value.retry_after == 20 * 60
    enrol(60)


def test_enrolments_are_limited(client, obama, upload, settings, monkeypatch):
    settings.FACEAUTH = {**settings.FACEAUTH, "ENROLMENTS_PER_HOUR": 1}
    client.force_login(obama)
    data = {"consent": "on"}
    shots = [upload(name) for name in OBAMA]
    assert client.post(ENROL, {**data, "snapshot": shots}).status_code == 302
    monkeypatch.setattr("faceauth.capture.samples.analyse", pytest.fail)
    response = client.post(ENROL, {**data, "snapshot": upload("obama")})
    assert response.status_code == 429
    assert int(response["Retry-After"]) <= 3600
    assert "Too many pictures" in response.text
    assert username_of(client) == "obama"
