"""The options of the commands that enrol others: whom, how, and with whose consent."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _

from faceauth import conf
from faceauth.enrolment import Consent, shots
from faceauth.models import FaceTemplateMixin

from . import cli
from .enrolment import Admission


def add_arguments(parser: CommandParser, *, domain: str, fewest: str, most: str) -> None:
    """Those of every such command; domain, fewest, most: what ``--domain``, ``--min-shots`` and
    ``--max-shots`` mean to this one.
    """
    parser.add_argument(
        "--create",
        action="store_true",
        help=_("create accounts for those who have none, without a password"),
    )
    parser.add_argument("--domain", default="", help=domain)
    parser.add_argument(
        "--replace", action="store_true", help=_("give a new face to those who have one")
    )
    number = cli.at_least(1)
    parser.add_argument("--min-shots", type=number, metavar="N", default=1, help=fewest)
    asked = conf.get().ENROLMENT_SHOTS
    parser.add_argument("--max-shots", type=number, metavar="N", default=asked, help=most)
    parser.add_argument(
        "--dry-run", action="store_true", help=_("say what would be done, and do nothing")
    )
    parser.add_argument("--json", type=Path, help=_("write all results there"))


def add_consent_argument(parser: CommandParser) -> None:
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


def admission(command: BaseCommand, options: dict[str, Any], source: shots.Source) -> Admission:
    """What the options and ``--consent`` come to, for encodings from there.

    Raises:
        CommandError: they contradict each other, or nobody vouches that people have agreed.
    """
    if options["min_shots"] > options["max_shots"]:
        raise CommandError(_("--min-shots is more than --max-shots."))
    return Admission(
        _consent(command, options["consent"], options["dry_run"]),
        least=options["min_shots"],
        create=options["create"],
        domain=options["domain"],
        replace=options["replace"],
        dry_run=options["dry_run"],
        source=source,
    )


def _consent(command: BaseCommand, version: str | None, dry_run: bool) -> Consent:
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
