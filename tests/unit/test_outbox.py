"""The outbox: mails that a background thread sends."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time

import pytest
from django.core import mail
from django.core.mail import EmailMessage

from faceauth.audit import notifications, outbox
from tests.support.mail import sent


@pytest.fixture
def stuck(monkeypatch):
    """A mail server that does not answer before it is told to."""
    answer, reached = threading.Event(), threading.Event()
    send = EmailMessage.send

    def wait_and_send(message):
        reached.set()
        answer.wait(10)
        return send(message)

    monkeypatch.setattr(EmailMessage, "send", wait_and_send)
    monkeypatch.setattr(outbox, "DELAY", 0)
    answer.reached = reached
    yield answer
    answer.set()
    assert outbox.flush(10)


def message(subject="Hello"):
    return EmailMessage(subject, "Text", None, ["ada@example.com"])


def test_mails_are_sent_in_order():
    for number in range(5):
        outbox.put(message(str(number)), "test")
    assert [each.subject for each in sent()] == ["0", "1", "2", "3", "4"]


def test_the_request_does_not_wait(stuck):
    started = time.monotonic()
    outbox.put(message(), "test")
    assert stuck.reached.wait(10)
    assert time.monotonic() - started < 5
    assert not mail.outbox
    stuck.set()
    assert len(sent()) == 1


def test_a_mail_goes_out_after_the_answer():
    outbox.put(message(), "test")
    assert not mail.outbox
    deadline = time.monotonic() + 10
    while not mail.outbox and time.monotonic() < deadline:
        time.sleep(0.01)
    assert mail.outbox


def test_an_error_is_logged_and_the_next_mail_is_sent(monkeypatch, caplog):
    outbox.put(message("Hello\nthere"), "broken")  # no header may hold a new line
    outbox.put(message(), "test")
    assert [each.subject for each in sent()] == ["Hello"]
    assert "'broken'" in caplog.text


def test_a_full_outbox_drops_mails(stuck, monkeypatch, caplog):
    outbox.put(message(), "test")
    assert stuck.reached.wait(10)
    for _message in range(outbox.MAX_WAITING + 1):
        outbox.put(message(), "one too many")
    assert caplog.text.count("'one too many'") == 1
    stuck.set()
    assert len(sent()) == outbox.MAX_WAITING + 1


def test_a_timeout(stuck):
    outbox.put(message(), "test")
    assert not outbox.flush(0.05)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there are no forks here")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_forked_process_has_a_thread_of_its_own():
    outbox.put(message("parent"), "test")
    sent()
    reading, writing = os.pipe()
    if (child := os.fork()) == 0:
        mail.outbox.clear()
        outbox.put(message("child"), "test")
        done = outbox.flush(10)
        os.write(writing, b"yes" if done and mail.outbox else b"no")
        os._exit(0)
    os.waitpid(child, 0)
    assert os.read(reading, 3) == b"yes"


def test_mails_are_sent_at_the_end_of_the_process():
    code = (
        "import django; from django.conf import settings\n"
        "settings.configure(EMAIL_BACKEND='django.core.mail.backends.console.EmailBackend',"
        " INSTALLED_APPS=['django.contrib.contenttypes','django.contrib.auth','faceauth'])\n"
        "django.setup()\n"
        "from django.core.mail import EmailMessage\n"
        "from faceauth.audit import outbox\n"
        "outbox.put(EmailMessage('At the end', '', None, ['ada@example.com']), 'test')\n"
    )
    ended = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True
    )
    assert "At the end" in ended.stdout, ended.stderr


def test_a_decoy_is_rendered_and_not_sent(rf, settings):
    request = rf.get("/")
    context = {"code": "123456", "minutes": 10}
    for address, decoy in (("ada@example.com", True), ("", False)):
        notifications.send_later(request, address, "code", context, decoy=decoy)
    notifications.send_later(request, "ada@example.com", "code", context)
    (only,) = sent()
    assert only.subject == "123456 is your code for testserver"
    assert only.body.startswith("123456\n")
    assert "://" not in only.body
