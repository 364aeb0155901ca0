"""Options, progress and interruptions of the commands that process many files."""

from __future__ import annotations

import json
from argparse import ArgumentTypeError
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, TypeVar

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from faceauth import conf
from faceauth.enrolment import Consent, shots
from faceauth.models import FaceTemplateMixin

from .enrolment import BulkEnrolment, Candidate
from .process_pool import in_processes

Item = TypeVar("Item")
Result = TypeVar("Result")

# The exit status after Ctrl-C.
INTERRUPTED = 130


def at_least(minimum: int) -> Callable[[str], int]:
    """Return an argument type: a whole number of at least `minimum`."""

    def number(text: str) -> int:
        if not text.isdecimal() or int(text) < minimum:
            raise ArgumentTypeError(f"{text!r} is not a whole number of {minimum} or more")
        return int(text)

    return number


def add_enrolment_arguments(
    parser: CommandParser, *, domain: str, min_shots: str, max_shots: str
) -> None:
    """Add the options that all commands have that enrol people.

    Args:
        parser: The command's parser.
        domain: The help of ``--domain``.
        min_shots: The help of ``--min-shots``.
        max_shots: The help of ``--max-shots``.
    """
    parser.add_argument(
        "--consent",
        metavar="VERSION",
        help=(
            "the version of the notice that all of these people have agreed to (now: "
            f"{conf.get().NOTICE_VERSION}); you must be able to prove it. Required, except for a "
            "dry run"
        ),
    )
    parser.add_argument(
        "--create",
        action="store_true",
        help="create accounts, without a password, for people who have none",
    )
    parser.add_argument("--domain", default="", help=domain)
    parser.add_argument(
        "--replace", action="store_true", help="replace the faces of people who have one"
    )
    number = at_least(1)
    parser.add_argument("--min-shots", type=number, metavar="N", default=1, help=min_shots)
    default = conf.get().ENROLMENT_SHOTS
    parser.add_argument("--max-shots", type=number, metavar="N", default=default, help=max_shots)
    parser.add_argument(
        "--dry-run", action="store_true", help="show what would be done, and change nothing"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all results to this file")


def bulk_enrolment(
    command: BaseCommand, options: dict[str, Any], source: shots.Source
) -> BulkEnrolment:
    """Return the enrolment that the options of a command describe.

    Args:
        command: The command, to print warnings.
        options: Its options.
        source: The origin of the encodings.

    Raises:
        CommandError: The options contradict each other, or ``--consent`` is missing.
    """
    if options["min_shots"] > options["max_shots"]:
        raise CommandError("--min-shots is more than --max-shots.")
    return BulkEnrolment(
        _consent(command, options["consent"], options["dry_run"]),
        min_shots=options["min_shots"],
        create=options["create"],
        domain=options["domain"],
        replace=options["replace"],
        dry_run=options["dry_run"],
        source=source,
    )


def check_new_accounts(candidates: Sequence[Candidate], advice: str) -> None:
    """Check before all the work that new accounts have what the user model asks for.

    Args:
        candidates: All people.
        advice: How to give the command email addresses.

    Raises:
        CommandError: Every new account lacks the same field.
    """
    new = [each for each in candidates if each.created]
    missing = set.intersection(*(each.missing for each in new)) if new else set()
    email = get_user_model().get_email_field_name()
    if email in missing:
        raise CommandError(f"New accounts need an email address: {advice}.")
    if missing:
        raise CommandError(
            f"New accounts need a value for {', '.join(sorted(missing))}, which this command "
            "cannot give. Create the accounts first, then run it without --create."
        )


def check_writable(*files: Path | None) -> None:
    """Check before all the work, not after it, that the folders of files to write exist.

    Raises:
        CommandError: A folder does not exist.
    """
    for file in files:
        if file is not None and not file.parent.is_dir():
            raise CommandError(f"There is no folder {file.parent}.")


def write_json(file: Path | None, results: Any) -> None:
    """Write all results to a file, if one is given.

    Raises:
        CommandError: The file cannot be written.
    """
    if file is None:
        return
    try:
        file.write_text(json.dumps(results, indent=2))
    except OSError as error:
        raise CommandError(str(error)) from error


def with_progress(
    work: Callable[[Item], Result],
    items: Sequence[Item],
    *,
    processes: int | None,
    unit: str,
    size: Callable[[Item], int] = lambda item: 1,
) -> Generator[Result, None, None]:
    """Yield `work(item)` for each item, see `in_processes`, and show a progress bar on a terminal.

    Args:
        work: A function that can be pickled.
        items: The arguments.
        processes: The number of processes; by default one for each core.
        unit: The name of what the bar counts.
        size: A function that returns how many units an item is.
    """
    with (
        closing(in_processes(work, items, processes)) as results,
        tqdm(total=sum(map(size, items)), unit=f" {unit}", disable=None) as bar,
    ):
        for item, result in zip(items, results, strict=True):
            yield result
            bar.update(size(item))


@contextmanager
def stopping(advice: str) -> Iterator[list[CommandError]]:
    """Collect the error that ends the work early, to raise it after the results are reported.

    Args:
        advice: What is done already, and what to do about the rest.

    Yields:
        A list that contains the error, if there is one.
    """
    stopped: list[CommandError] = []
    try:
        yield stopped
    except KeyboardInterrupt:
        stopped.append(CommandError(f"Interrupted. {advice}", returncode=INTERRUPTED))
    except BrokenProcessPool:
        why = "A process was killed, perhaps because memory was full: try fewer --processes."
        stopped.append(CommandError(f"{why} {advice}"))


def _consent(command: BaseCommand, version: str | None, dry_run: bool) -> Consent:
    """Return the consent that ``--consent`` states; warn if there is a newer notice.

    Raises:
        CommandError: The option is missing, and this is not a dry run; or it is not a version.
    """
    current = conf.get().NOTICE_VERSION
    if version is None and not dry_run:
        raise CommandError(
            "Have these people agreed to the use of their faces? If they have, add --consent with "
            f"the version of the notice that they agreed to (now: {current})."
        )
    version = current if version is None else version.strip()
    max_length = FaceTemplateMixin._meta.get_field("face_consent_version").max_length or 0
    if not 0 < len(version) <= max_length:
        raise CommandError(f"The version of the notice must have 1 to {max_length} characters.")
    if version != current:
        warning = f"The notice is now at version {current}: people will be asked to agree to it."
        command.stderr.write(command.style.WARNING(warning))
    return Consent(version)
