"""How a command that works through a folder is told what to do, and says how far it is."""

from __future__ import annotations

import json
from argparse import ArgumentTypeError
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, TypeVar

from django.core.management.base import CommandError
from django.utils.translation import gettext as _
from tqdm import tqdm

from .process_pool import in_processes

Item = TypeVar("Item")
Result = TypeVar("Result")

# The exit status after Ctrl-C.
INTERRUPTED = 130


def at_least(least: int) -> Callable[[str], int]:
    """A type for an argument: a whole number, that or more."""

    def number(text: str) -> int:
        if not text.isdecimal() or int(text) < least:
            message = _("%(text)r is not a whole number of %(least)d or more")
            raise ArgumentTypeError(message % {"text": text, "least": least})
        return int(text)

    return number


def check_writable(*names: Path | None) -> None:
    """Say at once, not after all the work, that a file to be written has no folder.

    Raises:
        CommandError: one has none.
    """
    for file in names:
        if file is not None and not file.parent.is_dir():
            raise CommandError(_("There is no folder %(folder)s.") % {"folder": file.parent})


def write_json(file: Path | None, results: Any) -> None:
    """Write all results for scripts, where a file was named.

    Raises:
        CommandError: it cannot be written.
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
    """What `work` makes of the items, see `in_processes`, with a bar for whoever is watching."""
    with (
        closing(in_processes(work, items, processes)) as results,
        tqdm(total=sum(map(size, items)), unit=f" {unit}", disable=None) as bar,
    ):
        for item, result in zip(items, results, strict=True):
            yield result
            bar.update(size(item))


@contextmanager
def stopping(left: str) -> Iterator[list[CommandError]]:
    """Keep what ends the work early, for it to be raised once what was done is told: one error at
    most.

    left: what is done, and what is to be done about the rest.
    """
    stopped: list[CommandError] = []
    try:
        yield stopped
    except KeyboardInterrupt:
        why = _("Interrupted.")
        stopped.append(CommandError(f"{why} {left}", returncode=INTERRUPTED))
    except BrokenProcessPool:
        why = _("A process was ended, perhaps for want of memory: try fewer --processes.")
        stopped.append(CommandError(f"{why} {left}"))
