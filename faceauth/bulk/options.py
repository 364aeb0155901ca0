"""What a command that enrols others is told about whom, and how."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _

from faceauth import conf
from faceauth.enrolment import shots

from . import cli, consent
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


def admission(command: BaseCommand, options: dict[str, Any], source: shots.Source) -> Admission:
    """What the options and ``--consent`` come to, for encodings from there.

    Raises:
        CommandError: they contradict each other, or nobody vouches that people have agreed.
    """
    if options["min_shots"] > options["max_shots"]:
        raise CommandError(_("--min-shots is more than --max-shots."))
    return Admission(
        consent.consent(command, options["consent"], options["dry_run"]),
        least=options["min_shots"],
        create=options["create"],
        domain=options["domain"],
        replace=options["replace"],
        dry_run=options["dry_run"],
        source=source,
    )
