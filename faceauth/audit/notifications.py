"""Send mails to users about their face."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.sites.shortcuts import get_current_site
from django.core import mail
from django.core.mail import EmailMessage
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import gettext as _

from faceauth import conf, faces, users
from faceauth.languages import in_app_language
from faceauth.models import FaceEvent

from . import outbox

SMTP = "django.core.mail.backends.smtp.EmailBackend"

# The events that users are notified of. Each has a template, whose first line is the subject.
KINDS = ("enrolled", "replaced", "removed", "disabled", "device_copied")


def notify(request: HttpRequest | None, event: FaceEvent) -> None:
    """Notify the event's user, if it is one of `KINDS` and ``NOTIFY_BY_MAIL`` is on."""
    if event.kind in KINDS and conf.get().NOTIFY_BY_MAIL:
        context = {"user": event.user, "reason": event.outcome, "device": event.device}
        if event.kind == "enrolled":
            context["disabled"] = faces.of(event.user).face_disabled_at
        if event.kind == "disabled" and event.outcome != "by_staff":
            # From the outbox: the time of a guess does not tell that there is a face to disable.
            send_later(request, address_of(event.user), event.kind, context)
        else:
            send(request, event.user, event.kind, context)


def send(request: HttpRequest | None, user: Any, name: str, context: dict[str, Any]) -> bool:
    """Send a user the mail ``faceauth/mail/<name>.txt``.

    Args:
        request: The current request, for the site's name and for links; None outside of requests.
        user: The recipient.
        name: The name of the mail.
        context: More variables for the template.

    Returns:
        True if the mail was sent, False if the user has no address or sending failed.
    """
    if not (to := address_of(user)):
        return False
    return outbox.deliver(_render(request, to, name, {"user": user, **context}), name)


def send_later(
    request: HttpRequest | None,
    to: str,
    name: str,
    context: dict[str, Any],
    *,
    decoy: bool = False,
) -> None:
    """Send the mail ``faceauth/mail/<name>.txt`` from the outbox, after the answer.

    The mail is rendered in any case, so the time of the answer does not tell whether it is sent.

    Args:
        request: The current request, for the site's name; None outside of requests.
        to: The recipient's address. "" if there is none; then nothing is sent.
        name: The name of the mail.
        context: More variables for the template.
        decoy: Send nothing.
    """
    message = _render(request, to, name, context)
    if to and not decoy:
        outbox.put(message, name)


def _render(
    request: HttpRequest | None, to: str, name: str, context: dict[str, Any]
) -> EmailMessage:
    site = conf.get().SITE_NAME or (get_current_site(request).name if request else _("our site"))
    remove = request.build_absolute_uri(reverse("faceauth:remove")) if request else ""
    user = context.get("user")
    greeted = user and users.any_name(user)
    context = {"site_name": site, "remove": remove, "name": greeted, **context}
    with in_app_language():
        text = render_to_string(f"faceauth/mail/{name}.txt", context).lstrip()
    subject, _newline, body = text.partition("\n")
    return EmailMessage(subject, body.lstrip("\n"), None, [to])


def address_of(user: Any) -> str:
    """Return the user's email address, or "" if there is none."""
    return getattr(user, user.get_email_field_name(), "") or ""


def reaches(user: Any) -> bool:
    """Return True if the site sends mails, and the user has an address to send them to."""
    return bool(address_of(user)) and mail_is_sent()


def mail_is_sent() -> bool:
    """Return True if the site sends mails to people: it does not drop or only print them.

    While a site is developed, its mails are printed on purpose.
    """
    backend = mail_backend()
    return "dummy" not in backend and (settings.DEBUG or "console" not in backend)


def mail_backend() -> str:
    """Return the dotted path of the site's mail backend."""
    mailers: dict[str, Any] | None = getattr(settings, "MAILERS", None)  # from Django 6.1 on
    if mailers is None:
        return settings.EMAIL_BACKEND
    backend: str = mailers.get("default", {}).get("BACKEND", SMTP)
    return backend


def mail_connection() -> Any:
    """Return a new connection of the site's mail backend, which is not open yet."""
    mailers: Any = getattr(mail, "mailers", None)  # from Django 6.1 on
    return mailers.default if mailers else mail.get_connection()
