"""Sheets: what became of volunteers' attempts, without pictures."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from faceauth.evaluation.pad.report import interval, over_people

TRUE = "true login"


class Entry(NamedTuple):
    """One attempt.

    Attributes:
        person: A random name of the volunteer.
        label: `TRUE`, or the attack.
        challenge: The kind of the challenge, "short" or "full".
        live: The frames were taken for a live person.
        logged_in: The volunteer was logged in.
        reason: Why not; "" if they were.
        steps: What was asked for.
        seconds: From the first frame to the last answer.
    """

    person: str
    label: str
    challenge: str
    live: bool
    logged_in: bool
    reason: str
    steps: list[str]
    seconds: float


def write(path: Path, entries: Sequence[Entry]) -> None:
    """Write a sheet."""
    path.write_text(json.dumps([each._asdict() for each in entries], indent=1) + "\n")


def read(paths: Sequence[Path]) -> list[Entry]:
    """Return the attempts in several sheets.

    Raises:
        OSError: A sheet cannot be read.
        ValueError: A file is no sheet.
    """
    found = []
    for path in paths:
        try:
            found += [Entry(**each) for each in json.loads(path.read_text())]
        except (TypeError, ValueError) as error:
            raise ValueError(f"{path} is no sheet of face_attack --record.") from error
    return found


def rows(entries: Sequence[Entry]) -> list[dict[str, Any]]:
    """Return a row for each kind of attempt and of challenge: true logins first."""
    groups: dict[tuple[str, str], list[Entry]] = {}
    for each in entries:
        groups.setdefault((each.label, each.challenge), []).append(each)
    order = sorted(groups, key=lambda key: (key[0] != TRUE, key))
    return [_row(*key, groups[key]) for key in order]


def text(results: Sequence[dict[str, Any]]) -> str:
    """Return the rows as text for people to read."""
    return "\n".join(_lines(results))


def _row(label: str, challenge: str, entries: Sequence[Entry]) -> dict[str, Any]:
    is_true = label == TRUE
    shares = {
        "bpcer" if is_true else "apcer": over_people(
            (each.person, each.live != is_true) for each in entries
        ),
        "refused" if is_true else "iapar": over_people(
            (each.person, each.logged_in != is_true) for each in entries
        ),
    }
    return {
        "attempt": label,
        "challenge": challenge,
        "attempts": len(entries),
        "people": len({each.person for each in entries}),
        **{name: each._asdict() for name, each in shares.items()},
        "reasons": dict(Counter(each.reason for each in entries if each.reason).most_common()),
    }


def _lines(results: Sequence[dict[str, Any]]) -> Iterator[str]:
    yield f"{'':34}{'attempts':>9}{'people':>8}  in per cent, with the interval over people"
    for row in results:
        shares = [
            f"{name.upper() if name != 'refused' else name} {row[name]['value'] * 100:.1f} "
            f"({interval(row[name])})"
            for name in ("bpcer", "apcer", "iapar", "refused")
            if name in row
        ]
        reasons = [f"{reason} {count}" for reason, count in row["reasons"].items()]
        title = f"{row['attempt']}, {row['challenge']}"
        yield f"{title:34}{row['attempts']:9}{row['people']:8}  " + "; ".join(
            [", ".join(shares), *([", ".join(reasons)] if reasons else [])]
        )
