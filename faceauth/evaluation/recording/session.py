"""Lead a volunteer through true logins and attacks on themselves, in the terminal."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from faceauth.evaluation import throwaway
from faceauth.evaluation.pad.talk import Reply
from faceauth.liveness.challenge import FULL, SHORT

from . import sheets, site
from .sheets import TRUE, Entry

# What the volunteer does, and how often with each kind of challenge.
PLAN = (
    (TRUE, 5, "Log in yourself."),
    (
        "own print",
        3,
        "Print a photo of yourself. Hold it before the camera and do with it what is asked.",
    ),
    (
        "own photo on a phone",
        3,
        "Show a photo of yourself on a phone, and do with it what is asked.",
    ),
    (
        "own film on a screen",
        3,
        "Film yourself: look ahead, then turn to all sides. Play the film before the camera.",
    ),
)


def lead(
    folder: Path,
    *,
    port: int,
    plan: Sequence[tuple[str, int, str]],
    ask: Callable[[str], Any],
    write: Callable[[str], Any],
) -> list[Entry]:
    """Lead a volunteer through the attempts, and write their sheet.

    Args:
        folder: Keeps the frames, the answers and the sheet. Nothing leaves it.
        port: Of the site, on this computer.
        plan: What is tried, how often, and how.
        ask: Waits until the volunteer presses Enter.
        write: Prints a line.

    Raises:
        OSError: The folder cannot be written, or holds another recording.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if (folder / site.EVENTS).exists():
        raise OSError(f"{folder} holds a recording already.")
    name = secrets.token_hex(4)
    _begin(folder, 0, FULL)
    address = f"http://localhost:{port}"
    middleware = f"{site.RecordMiddleware.__module__}.{site.RecordMiddleware.__qualname__}"
    more = site.SETTINGS.format(middleware=middleware, folder=str(folder.resolve()))
    entries: list[Entry] = []
    with throwaway.workers(1, more) as pool:
        serving = pool.submit(site.serve, port)
        try:
            while not (folder / site.READY).exists() and not serving.done():
                time.sleep(0.1)
            write(f"The site runs on this computer only; frames stay in {folder}.")
            ask(f"Open {address}{site.ENROL}, enrol your face, then press Enter.")
            number = 0
            for label, count, how in plan:
                write(f"\n{label}: {how}")
                for kind in (SHORT, FULL):
                    for again in range(1, count + 1):
                        number += 1
                        _begin(folder, number, kind)
                        write(f"{label}, {kind} challenge, {again} of {count}")
                        ask(f"Open {address}{site.ATTEMPT}. Press Enter when it has ended.")
                        entry = ended(_events(folder, number), name, label, kind)
                        write(f"  {entry.reason or 'logged in'}")
                        entries.append(entry)
        finally:
            sheets.write(folder / "sheet.json", entries)
            (folder / site.NOW).write_text("null")
            (folder / site.READY).unlink(missing_ok=True)
            serving.result()
    return entries


def ended(events: Sequence[Mapping[str, Any]], person: str, label: str, kind: str) -> Entry:
    """Return how an attempt ended, by what the site answered.

    Args:
        events: The answers.
        person: The volunteer.
        label: What was tried.
        kind: Of the challenge.
    """
    live = any(each.get("state") == "passed" for each in events)
    logged_in = any(each.get("login") and each.get("user") for each in events)
    reason = "" if logged_in else "no_step"
    for each in events:
        if each.get("code") and not logged_in:
            error = {"error": {"code": each["code"], "message": each.get("message", "")}}
            reason = Reply(403, error).code
    steps = [each["step"] for each in events if each.get("step")]
    asked = [step for place, step in enumerate(steps) if not place or step != steps[place - 1]]
    seconds = round(events[-1]["at"] - events[0]["at"], 2) if events else 0.0
    return Entry(person, label, kind, live, logged_in, reason, asked, seconds)


def _begin(folder: Path, number: int, kind: str) -> None:
    """Say which attempt comes next. Another file takes its place, so that none is read half."""
    new = folder / f"{site.NOW}.new"
    new.write_text(json.dumps({"number": number, "challenge": kind}))
    new.replace(folder / site.NOW)


def _events(folder: Path, number: int) -> list[Mapping[str, Any]]:
    path = folder / site.EVENTS
    lines = path.read_text().splitlines() if path.exists() else []
    return [each for line in lines if (each := json.loads(line))["number"] == number]
