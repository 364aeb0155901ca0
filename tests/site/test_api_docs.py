"""Run every command of docs/api.md against the site with real faces."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time

import pytest
from django.conf import settings as project
from django.test import Client

from tests.support import guides, mail
from tests.support.people import OBAMA, picture
from tests.support.requirements import unavailable

LOGIN = "/face/login/"
END = "--- that was all of it ---"


def blocks():
    """Return the commands, each with the answer printed below it, if there is one."""
    pairs = []
    for block in guides.blocks("api.md", "bash", "json"):
        if block.kind == "bash":
            pairs.append([block.text, None])
        else:
            pairs[-1][1] = json.loads(block.text)
    return pairs


def settings_of_other_origins():
    (block,) = guides.blocks("api.md", "python")
    now = {"INSTALLED_APPS": [], "MIDDLEWARE": [*project.MIDDLEWARE]}
    exec(block.text, now)  # it is ours
    # Apps can't be added at run time; this one only brings checks.
    assert now.pop("INSTALLED_APPS") == ["corsheaders"]
    return {name: value for name, value in now.items() if name.isupper()}


def test_walk(live_server, tmp_path):
    if missing := [name for name in ("bash", "curl", "base64") if not shutil.which(name)]:
        unavailable(f"the walk takes {', '.join(missing)}")
    for number, name in enumerate(OBAMA, start=1):
        (tmp_path / f"me{number}.jpg").write_bytes(picture(name))
    (tmp_path / "somebody.jpg").write_bytes(picture("biden"))
    steps = blocks()
    script = "".join(f"{command}\necho; echo '{END}'\n" for command, _ in steps)
    with subprocess.Popen(
        ["bash", "-e", "-u", "-c", script],
        cwd=tmp_path,
        env={**os.environ, "SITE": live_server.url},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as walk:
        # Read the mail, as a person would.
        deadline = time.monotonic() + 60
        while not mail.sent() and walk.poll() is None and time.monotonic() < deadline:
            time.sleep(0.1)
        output, complaints = walk.communicate(f"{mail.code()}\n" if mail.sent() else "")
    assert (walk.returncode, complaints) == (0, "")
    answers = [each.strip() for each in output.split(END)]
    compared = 0
    for (command, expected), answer in zip(steps, answers, strict=False):
        if expected is not None:
            told = json.loads(answer)
            if "csrf_token" in expected:
                assert told.pop("csrf_token") and expected.pop("csrf_token") == "..."
            assert told == expected, command
            compared += 1
    assert compared >= 6
    # The answer to the preview.
    assert json.loads(answers[-3])["faces"] == 1


@pytest.fixture
def elsewhere(settings):
    """Return a client for the site with the settings for front ends on another origin."""
    for name, value in settings_of_other_origins().items():
        setattr(settings, name, value)
    return Client(enforce_csrf_checks=True)


def asked(client, origin, path=LOGIN):
    """Send the request that a browser sends before JSON with a token; return the headers."""
    wanted = {
        "Origin": origin,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "content-type,x-csrftoken",
    }
    return client.options(path, headers=wanted).headers


def test_other_origin_that_is_named(elsewhere, db):
    origin = "https://app.example.com"
    told = asked(elsewhere, origin)
    assert told["Access-Control-Allow-Origin"] == origin
    assert told["Access-Control-Allow-Credentials"] == "true"
    assert {"content-type", "x-csrftoken"} <= set(told["Access-Control-Allow-Headers"].split(", "))
    token = elsewhere.get("/face/whoami/", headers={"Origin": origin}).json()["csrf_token"]
    headers = {"Origin": origin, "X-CSRFToken": token}
    response = elsewhere.post(
        "/face/login/", "{}", content_type="application/json", headers=headers
    )
    assert response.json()["error"]["code"] == "missing_snapshot"
    assert response["Access-Control-Allow-Origin"] == origin


def test_any_other_origin(elsewhere, db):
    assert "Access-Control-Allow-Origin" not in asked(elsewhere, "https://evil.example")
    assert "Access-Control-Allow-Origin" not in asked(elsewhere, "https://app.example.com", "/")
    token = elsewhere.get("/face/whoami/").json()["csrf_token"]
    headers = {"Origin": "https://evil.example", "X-CSRFToken": token}
    response = elsewhere.post(
        "/face/login/", "{}", content_type="application/json", headers=headers
    )
    assert response.status_code == 403
