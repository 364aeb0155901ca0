"""Emails in development: printed to the console, and shown at ``/dev/mail/``.

So the codes and links that the site mails can be used without a mail server. Nothing here works
unless ``DEBUG`` is on.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
import time
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage
from django.core.mail.backends.console import EmailBackend as ConsoleBackend
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.timezone import get_current_timezone
from django.views.decorators.cache import never_cache

KEEP = 20


class EmailBackend(ConsoleBackend):
    """Print emails, and keep the last ones for the page."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        sent: int = super().send_messages(list(email_messages))
        for message in email_messages:
            keep(message)
        return sent


def folder() -> Path:
    """Return the folder of the kept emails, which outlive a restart of the development server."""
    owner = os.getuid() if hasattr(os, "getuid") else "user"
    # Each checkout has its own mails.
    checkout = hashlib.sha256(str(settings.BASE_DIR).encode()).hexdigest()[:8]
    path = Path(tempfile.gettempdir()) / f"faceauth-mail-{owner}-{checkout}"
    path.mkdir(mode=0o700, exist_ok=True)
    # On a shared machine, somebody else could have made the folder first.
    if path.is_symlink() or (hasattr(os, "getuid") and path.stat().st_uid != owner):
        raise PermissionError(f"{path} belongs to somebody else")
    return path


def keep(message: EmailMessage) -> None:
    """Keep an email, and delete the oldest ones."""
    mail = {"to": message.to, "subject": message.subject, "body": message.body, "at": time.time()}
    place = folder()
    # A page that is loaded meanwhile must not find half a file.
    unfinished = place / f"{time.time_ns()}.new"
    unfinished.write_text(json.dumps(mail, default=str))
    unfinished.rename(unfinished.with_suffix(".json"))
    for old in _files(place)[KEEP:]:
        old.unlink(missing_ok=True)


def kept() -> list[dict[str, Any]]:
    """Return the kept emails, the newest first."""
    mails = [json.loads(each.read_text()) for each in _files(folder())]
    zone = get_current_timezone()
    return [{**mail, "at": datetime.fromtimestamp(mail["at"], zone)} for mail in mails]


@never_cache
def mails(request: HttpRequest) -> HttpResponse:
    """Show the kept emails."""
    if not settings.DEBUG:
        raise Http404
    return render(request, "dev_mail.html", {"mails": kept()})


def link(request: HttpRequest) -> dict[str, str]:
    """Return the URL of the page for templates, if there is one."""
    return {"dev_mail": reverse("dev_mail")} if settings.DEV_MAIL else {}


def _files(place: Path) -> list[Path]:
    return sorted(place.glob("*.json"), reverse=True)
