"""How many attempts at the liveness challenge got through, as plain data and as text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from math import sqrt
from typing import Any, NamedTuple

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from .scenarios import ROWS, Row, Verdict

DEVIATIONS = 1.96  # of a normal distribution: 95 % lie within

# How many reasons are printed, the most frequent first.
REASONS = 4


class Share(NamedTuple):
    """So many `of` all, and within what the true share lies with a confidence of 95 %."""

    events: int
    of: int
    value: float
    low: float
    high: float


def share(count: int, of: int) -> Share:
    """With the interval of Wilson ("Probable inference, the law of succession, and statistical
    inference", 1927), which holds for rare events too.
    """
    square = DEVIATIONS**2
    value = count / of
    middle = (value + square / (2 * of)) / (1 + square / of)
    reach = sqrt(value * (1 - value) / of + square / (4 * of**2)) * DEVIATIONS / (1 + square / of)
    # Free of rounding where the interval ends.
    low = middle - reach if count else 0.0
    high = middle + reach if count < of else 1.0
    return Share(count, of, value, low, high)


def rows(verdicts: Iterable[tuple[int, Verdict]]) -> list[dict[str, Any]]:
    """What became of the attempts of each row of `ROWS` that there were any of."""
    by_row: dict[int, list[Verdict]] = {}
    for place, verdict in verdicts:
        by_row.setdefault(place, []).append(verdict)
    return [_row(ROWS[place], found) for place, found in sorted(by_row.items())]


def broken(results: Iterable[Mapping[str, Any]]) -> list[str]:
    """The rows of which more than is promised got through, or were refused."""
    return [row["attempt"] for row in results if row["holds"] is False]


def text(results: Sequence[Mapping[str, Any]]) -> str:
    """All of it for people to read."""
    return "\n".join(_lines(results))


def _row(row: Row, verdicts: Sequence[Verdict]) -> dict[str, Any]:
    through = sum(not verdict.reason for verdict in verdicts)
    counted = share(len(verdicts) - through if row.true else through, len(verdicts))
    reasons = Counter(verdict.reason for verdict in verdicts if verdict.reason)
    return {
        "attempt": row.name,
        "true": row.true,
        "attempts": len(verdicts),
        "live": sum(verdict.live for verdict in verdicts),
        "through": through,
        "rate": counted._asdict(),
        "most": row.most,
        "holds": None if row.most is None else counted.value <= row.most,
        "reasons": dict(reasons.most_common()),
    }


def _lines(results: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    attacks = [row for row in results if not row["true"]]
    if attacks:
        yield from _table(_("Attacks"), _("got through"), attacks)
    true = [row for row in results if row["true"]]
    if attacks and true:
        yield ""
    if true:
        yield from _table(_("True attempts"), pgettext("attempts", "refused"), true)
    yield ""
    yield _(
        "live: taken for a live person; who got through was taken for the right person as well."
    )


def _table(title: str, counted: str, results: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    attempts, live, at_most, refused = _("attempts"), _("live"), _("at most"), _("why refused")
    yield (
        f"{title:44}{attempts:>9}{live:>6}{counted:>13}{'%':>7}{'95 %':>13}{at_most:>9}  {refused}"
    )
    for row in results:
        rate = {name: value * 100 for name, value in row["rate"].items()}
        most = "-" if row["most"] is None else f"{row['most'] * 100:g}"
        mark = "" if row["holds"] is not False else " !"
        reasons = list(row["reasons"].items())
        why = ", ".join(f"{reason} {count}" for reason, count in reasons[:REASONS])
        if rest := sum(count for _reason, count in reasons[REASONS:]):
            why += _(", others %(count)d") % {"count": rest}
        interval = f"{rate['low']:.1f}-{rate['high']:.1f}"
        yield (
            f"{_(row['attempt']):44}{row['attempts']:9}{row['live']:6}{row['rate']['events']:13}"
            f"{rate['value']:7.1f}{interval:>13}{most + mark:>9}  {why}"
        ).rstrip()
