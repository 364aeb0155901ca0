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


def test_secrets_can_be_in_files(tmp_path):
    secrets = {**dict.fromkeys(("SECRET_KEY", "FACEAUTH_ENCRYPTION_KEYS"), ""), "TZ": "UTC"}
    for name in ("SECRET_KEY", "FACEAUTH_ENCRYPTION_KEYS", "FACEAUTH_TRANSFORM_KEY"):
        (tmp_path / name).write_text(PRODUCTION[name] + "\n")
        secrets[f"{name}_FILE"] = str(tmp_path / name)
    (tmp_path / "password").write_text("another\n")
    secrets["DATABASE_PASSWORD_FILE"] = str(tmp_path / "password")
    code = (
        "from django.conf import settings as s; f = s.FACEAUTH; print(s.SECRET_KEY, *f["
        "'ENCRYPTION_KEYS'], f['ENCRYPTION_TRANSFORM_KEY'], s.DATABASES['default']['PASSWORD'])"
    )
    result = manage("shell", "--no-imports", "-c", code, **secrets, FACEAUTH_TRANSFORM_KEY="")
    if "unrecognized arguments" in result.stderr:  # Django 5.2 imports nothing
        result = manage("shell", "-c", code, **secrets, FACEAUTH_TRANSFORM_KEY="")
    keys = [PRODUCTION[f"FACEAUTH_{name}"] for name in ("ENCRYPTION_KEYS", "TRANSFORM_KEY")]
    assert result.stdout.split() == [PRODUCTION["SECRET_KEY"], *keys, "another"], result.stderr


def test_browsers_are_told_about_other_hosts_only_if_asked(tmp_path):
    code = (
        "from django.conf import settings as s; print(s.SECURE_HSTS_SECONDS > 0, "
        "s.SECURE_HSTS_INCLUDE_SUBDOMAINS, s.SECURE_HSTS_PRELOAD)"
    )
    assert manage("shell", "-v0", "-c", code).stdout.split() == ["True", "False", "False"]
    asked = {"HSTS_SUBDOMAINS": "true", "HSTS_PRELOAD": "true"}
    assert manage("shell", "-v0", "-c", code, **asked).stdout.split() == ["True", "True", "True"]


def test_documented_environment_passes_the_deployment_check():
    result = manage("check", "--deploy", "--fail-level", "WARNING")
    assert result.returncode == 0, result.stderr
    assert "no issues" in result.stdout


def test_wrong_passwords_are_limited_in_djangos_own_admin_as_well(tmp_path):
    # Without collected static files.
    database = f"sqlite:///{tmp_path / 'db.sqlite3'}"
    variables = {"DATABASE_URL": database, "DEBUG": "true", "FACEAUTH_ADMIN_LOGIN": "false"}
    assert manage("migrate", "-v0", **variables).returncode == 0
    code = (
        "from django.test import Client; c = Client(HTTP_HOST='faceauth.example.com'); print("
        "[1 for n in range(45) if b'Too many attempts' in c.post('/admin/login/', secure=True, "
        "data={'username': 'ada', 'password': 'wrong'}).content][:1])"
    )
    result = manage("shell", "-v0", "-c", code, **variables)
    assert result.stdout.split() == ["[1]"], result.stderr
