"""The mails that the site has sent, and the codes in them."""

from __future__ import annotations

import re

from django.core import mail
from django.core.mail import EmailMessage

from faceauth.audit import outbox


def sent() -> list[EmailMessage]:
    """Return all mails, also those that were waiting in the outbox."""
    assert outbox.flush(10)
    return mail.outbox


def code() -> str:
    """Return the code in the newest mail."""
    (found,) = re.findall(r"^(\d{6})$", str(sent()[-1].body), re.MULTILINE)
    return str(found)
