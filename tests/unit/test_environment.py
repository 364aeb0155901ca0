from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

# Start the site once for each argument, a line of .env; print the lines with which it fails. Each
# start is in a process of its own; what takes long to import is the same for all of them.
START = """
import os, sys
import cv2, environ, numpy, onnxruntime

environ.Env.read_env = lambda *args: None  # a developer's .env
for line in sys.argv[1:]:
    if child := os.fork():
        if os.waitpid(child, 0)[1]:
            print(line)
        continue
    failed = 1
    try:
        name, _, value = line.partition("=")
        os.environ[name] = value
        import config.wsgi
        from django.core.management import call_command
        call_command("check", stdout=sys.stderr)
        failed = 0
    except BaseException as error:
        print(error, file=sys.stderr)
    finally:
        os._exit(failed)
"""


def test_env_example_has_every_variable_that_the_settings_read():
    read = re.findall(
        r"\b(?:env\.\w+|secret)\(\"(\w+)\"", (ROOT / "config/settings.py").read_text()
    )
    composed = set(re.findall(r"\$\{(\w+)", (ROOT / "compose.yaml").read_text()))
    example = re.findall(r"^(\w+)=", (ROOT / ".env.example").read_text(), re.MULTILINE)

    assert sorted(example) == sorted([*read, *composed])


@pytest.mark.slow
def test_each_line_of_env_example_works_alone():
    text = (ROOT / ".env.example").read_text()
    lines = [line for line in re.findall(r"^\w+=.*", text, re.MULTILINE) if line != "SECRET_KEY="]
    # Each switch in its other position, and each way of treating unknown devices.
    lines += [line.replace("=false", "=true") for line in lines if line.endswith("=false")]
    lines += ["HTTPS=false", *(f"FACEAUTH_UNKNOWN_DEVICES={way}" for way in ("refuse", "allow"))]
    assert "FACEAUTH_ADMIN_SECOND_STEP=true" in lines
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("DJANGO_") and name not in {line.split("=")[0] for line in lines}
    }
    site = {"DJANGO_SETTINGS_MODULE": "config.settings", "SECRET_KEY": "k" * 50}
    started = subprocess.run(
        [sys.executable, "-c", START, *lines],
        cwd=ROOT,
        env={**inherited, **site},
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
    )
    assert started.stdout == "", started.stderr
