"""Send emails from a background thread, so that no answer waits for the mail server.

The time of an answer then doesn't tell whether a mail was sent. Each process has one thread, which
starts with the first mail and sends what is left when the process ends.
"""

from __future__ import annotations

import atexit
import logging
import os
import queue
import threading
import time

import django
from django.core.mail import EmailMessage
from django.db import connections

# More mails than this are waiting only if the mail server does not answer.
MAX_WAITING = 200
# A mail is sent this many seconds later, when the answer of its own request has gone out: even the
# work of another thread would be seen in the time of that answer.
DELAY = 0.3
# How long the end of the process waits for mails that are left, in seconds.
SECONDS_AT_EXIT = 5

# The setting that says how emails are sent.
MAIL_SETTING = "EMAIL_BACKEND" if django.VERSION < (6, 1) else "MAILERS"

logger = logging.getLogger("faceauth")


def put(message: EmailMessage, name: str) -> None:
    """Send a message soon. It is dropped, and an error logged, if too many are waiting.

    Args:
        message: The message, with its text.
        name: The name of the mail, for the log.
    """
    _outbox.put(message, name)


def flush(timeout: float | None = None) -> bool:
    """Wait until all messages are sent. Return False if some are left after `timeout` seconds."""
    return _outbox.flush(timeout)


def deliver(message: EmailMessage, name: str) -> bool:
    """Send a message now. Return False, and log the error, if that fails.

    Args:
        message: The message, with its text.
        name: The name of the mail, for the log.
    """
    try:
        message.send()
    except Exception as error:  # a mail backend may raise anything
        reason = type(error).__name__
        logger.error("Mail %r could not be sent: %s. Check %s", str(name), reason, MAIL_SETTING)
        return False
    return True


class _Outbox:
    """The messages of this process that are waiting, and the thread that sends them."""

    def __init__(self) -> None:
        self.waiting: queue.Queue[tuple[float, EmailMessage, str]] = queue.Queue(MAX_WAITING)
        self.hurry = threading.Event()
        self.starting = threading.Lock()
        self.thread: threading.Thread | None = None

    def put(self, message: EmailMessage, name: str) -> None:
        try:
            self.waiting.put_nowait((time.monotonic() + DELAY, message, name))
        except queue.Full:
            logger.error("Mail %r could not be sent: %d are waiting", str(name), MAX_WAITING)
            return
        self._start()

    def flush(self, timeout: float | None) -> bool:
        self.hurry.set()
        done = self.waiting.all_tasks_done
        with done:
            sent = done.wait_for(lambda: not self.waiting.unfinished_tasks, timeout)
        self.hurry.clear()
        return sent

    def _start(self) -> None:
        with self.starting:
            if self.thread is None:
                self.thread = threading.Thread(target=self._work, name="faceauth-mail", daemon=True)
                self.thread.start()

    def _work(self) -> None:
        while True:
            due, message, name = self.waiting.get()
            self.hurry.wait(max(due - time.monotonic(), 0))
            try:
                deliver(message, name)
            finally:
                # Some mail backends keep messages in the database; no request ends here.
                connections.close_all()
                self.waiting.task_done()


_outbox = _Outbox()


def _forget() -> None:
    """Begin with an empty outbox in a new process: the old one's thread is not in it."""
    global _outbox
    _outbox = _Outbox()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
atexit.register(flush, SECONDS_AT_EXIT)
