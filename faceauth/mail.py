"""Mails to users about what became of their face."""

from __future__ import annotations

import logging
from typing import Any

from django.contrib.sites.shortcuts import get_current_site
from django.core.mail import send_mail
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.translation import gettext as _

from . import conf
from .models import FaceEvent

# Each is a template: its first line is the subject.
KINDS = ("enrolled", "replaced", "removed", "disabled")

logger = logging.getLogger("faceauth")


def notify(request: HttpRequest | None, event: FaceEvent) -> None:
    """Tell the event's user, if they have an address and it is something to tell by mail."""
    user: Any = event.user
    kind, now = event.kind, conf.get()
    address = getattr(user, user.get_email_field_name(), None)
    if kind not in KINDS or not address or not now.NOTIFY_BY_MAIL:
        return
    site = now.SITE_NAME or (get_current_site(request).name if request else _("our site"))
    context = {"user": user, "site_name": site, "reason": event.outcome}
    text = render_to_string(f"faceauth/mail/{kind}.txt", context).lstrip()
    subject, _newline, body = text.partition("\n")
    try:
        send_mail(subject, body.lstrip("\n"), None, [address])
    except Exception as error:  # a mail backend may raise anything
        logger.error("Mail %r could not be sent: %s", str(kind), type(error).__name__)
