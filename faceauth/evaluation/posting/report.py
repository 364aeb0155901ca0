"""Count the attempts that logged in, as plain data and as text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from faceauth.evaluation.pad.report import REASONS, share

from .attacks import ATTACKS, Try

ALL = "all without a cookie of the person's device"


def rows(tries: Sequence[tuple[int, Sequence[Try]]], people: int) -> list[dict[str, Any]]:
    """Return a row for each attack, and one for all of those that need no stolen cookie.

    Args:
        tries: The attempts of each attack, by its index in `ATTACKS`.
        people: The number of people attacked.
    """
    found = [_row(ATTACKS[index].name, made, people) for index, made in tries if made]
    others = [made for index, made in tries if made and not ATTACKS[index].stolen]
    together = [each for made in others for each in made]
    return [*found, _row(ALL, together, people)] if len(others) > 1 else found


def text(results: Sequence[Mapping[str, Any]], title: str) -> str:
    """Return the rows as text for people to read.

    Args:
        results: The rows.
        title: The title of the first column.
    """
    return "\n".join(_lines(results, title))


def existence(results: Sequence[Mapping[str, Any]]) -> str:
    """Return the comparison of the answers as text for people to read."""
    lines = [
        f"{'Who is asked for':34}{'requests':>9}{'median':>12}{'':>9}{'CPU time':>12}{'':>9}"
        "  same answer"
    ]
    for row in results:
        lines.append(
            f"{row['case']:34}{row['requests']:9}{row['milliseconds']:9.1f} ms{row['longer']:+9.1%}"
            f"{row['cpu']:9.1f} ms{row['more_cpu']:+9.1%}  {'yes' if row['same_answer'] else 'NO'}"
        )
    return "\n".join(lines)


def _row(name: str, made: Sequence[Try], people: int) -> dict[str, Any]:
    succeeded = [each for each in made if each.logged_in]
    watched = [each.noticed for each in made if each.noticed is not None]
    return {
        "attack": name,
        "attempts": len(made),
        "logins": len(succeeded),
        "iapar": len(succeeded) / len(made),
        "people": share(len({each.person for each in succeeded}), people)._asdict(),
        "noticed": [sum(watched), len(watched)] if watched else None,
        "reasons": dict(Counter(each.reason for each in made if each.reason).most_common()),
    }


def _lines(results: Sequence[Mapping[str, Any]], title: str) -> Iterator[str]:
    yield (
        f"{title:50}{'attempts':>9}{'logins':>8}{'IAPAR':>8}{'people':>10}{'95 % of people':>16}  "
        "reasons for refusal"
    )
    for row in results:
        people = row["people"]
        reasons = [f"{reason} {count}" for reason, count in row["reasons"].items()][:REASONS]
        if row["noticed"]:
            reasons.append("noticed at the owner's next login: {} of {}".format(*row["noticed"]))
        of_all = f"{people['events']} of {people['of']}"
        interval = f"{people['low'] * 100:.1f}-{people['high'] * 100:.1f} %"
        yield (
            f"{row['attack']:50}{row['attempts']:9}{row['logins']:8}{row['iapar'] * 100:6.1f} %"
            f"{of_all:>10}{interval:>16}  {', '.join(reasons)}"
        ).rstrip()
