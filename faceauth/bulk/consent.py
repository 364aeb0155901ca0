"""What whoever enrols others has to vouch for: that these people have agreed."""

from __future__ import annotations

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _

from faceauth import conf
from faceauth.enrolment import Consent
from faceauth.models import FaceTemplateMixin


def add_argument(parser: CommandParser) -> None:
    """``--consent``, for a command."""
    parser.add_argument(
        "--consent",
        metavar="VERSION",
        help=_(
            "all of these people have agreed to this version of the notice (now: %(version)s), "
            "and you can show it; needed, but for a dry run"
        )
        % {"version": conf.get().NOTICE_VERSION},
    )


def consent(command: BaseCommand, version: str | None, dry_run: bool) -> Consent:
    """What it says; whether there is a notice that came later is said to whoever runs the command.

    Raises:
        CommandError: it says nothing, and this is no dry run; or no version is like that.
    """
    now = conf.get().NOTICE_VERSION
    if version is None and not dry_run:
        message = _(
            "Have these people agreed that their faces are used? If they have, say so with "
            "--consent and the version of the notice that they agreed to (now: %(version)s)."
        )
        raise CommandError(message % {"version": now})
    version = now if version is None else version.strip()
    longest = FaceTemplateMixin._meta.get_field("face_consent_version").max_length or 0
    if not 0 < len(version) <= longest:
        message = _("The notice's version has 1 to %(longest)d characters.")
        raise CommandError(message % {"longest": longest})
    if version != now:
        warning = _("The notice is at version %(version)s: people will be asked to agree to that.")
        command.stderr.write(command.style.WARNING(warning % {"version": now}))
    return Consent(version)
