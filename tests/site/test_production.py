from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]

PRODUCTION = {
    "DEBUG": "false",
    "SECRET_KEY": "k" * 20 + "-a-long-and-random-secret-of-50-characters-or-more",
    "FACEAUTH_ENCRYPTION_KEYS": "ZGF0YS1kYXRhLWRhdGEtZGF0YS1kYXRhLWRhdGEtISE=",
    "FACEAUTH_TRANSFORM_KEY": "dHVybi10dXJuLXR1cm4tdHVybi10dXJuLXR1cm4tISE=",
    "ALLOWED_HOSTS": "faceauth.example.com",
    "CSRF_TRUSTED_ORIGINS": "https://faceauth.example.com",
    "DATABASE_URL": "postgres://faceauth:password@localhost:5432/faceauth",
    "EMAIL_URL": "smtp+tls://user:password@mail.example.com:587",
    "BEHIND_PROXY": "true",
    "HTTPS": "true",
}


def environment():
    # What the tests themselves need of Django would be wrong on a server.
    inherited = {key: each for key, each in os.environ.items() if not key.startswith("DJANGO_")}
    return {**inherited, **PRODUCTION, "DJANGO_SETTINGS_MODULE": "config.settings"}


def manage(*arguments, **variables):
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env={**environment(), **variables},
        capture_output=True,
        text=True,
        check=False,
    )


def test_documented_environment_passes_the_deployment_check():
    result = manage("check", "--deploy", "--fail-level", "WARNING")
    assert result.returncode == 0, result.stderr
    assert "no issues" in result.stdout
