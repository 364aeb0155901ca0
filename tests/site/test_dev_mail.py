"""Emails in development are printed, and shown on a page that no other site has."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.core.mail import EmailMessage
from django.http import Http404

from config import dev_mail

ROOT = Path(__file__).parents[2]

SCRIPT = """
import django
django.setup()
from django.core import mail
from django.test import Client
from django.urls import is_valid_path
mail.send_mail("123456 is your code", "123456\\n<b>Not bold</b>", None, ["ada@example.com"])
if is_valid_path("/dev/mail/"):
    print("PAGE", Client().get("/dev/mail/", headers={"Host": "localhost"}).text)
else:
    print("NO PAGE")
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return dev_mail.folder()


def visit(tmp_path, debug):
    variables = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "DEBUG": debug,
        "HTTPS": "false",
        "SECRET_KEY": "for this test",
        "EMAIL_URL": "consolemail://",
        "ALLOWED_HOSTS": "localhost",
        "DATABASE_URL": f"sqlite:///{tmp_path}/db.sqlite3",
        "TMPDIR": str(tmp_path),
    }
    code = [sys.executable, "-W", "ignore", "-c", SCRIPT]
    return subprocess.run(code, cwd=ROOT, env=variables, capture_output=True, text=True).stdout


def test_development(tmp_path):
    printed, _status, page = visit(tmp_path, "true").partition("PAGE")
    assert "Subject: 123456 is your code" in printed
    assert f'To ada@example.com on <time datetime="{datetime.now(UTC):%Y-%m-%d}' in page
    assert f"{datetime.now(UTC):%B %Y}, " in page
    assert "123456<br>&lt;b&gt;Not bold" in page


def test_production(tmp_path):
    printed = visit(tmp_path, "false")
    assert "NO PAGE" in printed
    assert not list(tmp_path.glob("faceauth-mail-*"))


def test_view_looks_at_debug_itself(rf, settings, folder):
    dev_mail.keep(EmailMessage("A code", "123456", None, ["ada@example.com"]))
    with pytest.raises(Http404):
        dev_mail.mails(rf.get("/dev/mail/"))
    assert dev_mail.link(rf.get("/")) == {}


def test_the_last_twenty_are_kept(folder):
    for number in range(dev_mail.KEEP + 3):
        dev_mail.keep(EmailMessage(str(number), "", None, ["ada@example.com"]))
    subjects = [each["subject"] for each in dev_mail.kept()]
    assert subjects == [str(number) for number in range(22, 2, -1)]
    assert len(list(folder.iterdir())) == dev_mail.KEEP


def test_another_checkout_has_its_own(folder, settings):
    dev_mail.keep(EmailMessage("A code", "123456", None, ["ada@example.com"]))
    settings.BASE_DIR = settings.BASE_DIR / "other"
    assert dev_mail.kept() == []


def test_nobody_else_can_read_them(folder):
    assert folder.stat().st_mode & 0o777 == 0o700


def test_a_folder_of_somebody_else(tmp_path, folder):
    folder.rename(tmp_path / "other")
    folder.symlink_to(tmp_path / "other")
    with pytest.raises(PermissionError):
        dev_mail.folder()
