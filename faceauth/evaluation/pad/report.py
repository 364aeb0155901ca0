"""Count the attempts at the liveness challenge that succeeded, as plain data and as text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from math import sqrt
from typing import Any, NamedTuple

from .scenarios import SCENARIOS, Scenario, Verdict

DEVIATIONS = 1.96  # of a normal distribution: 95 % lie within

# The number of reasons printed, the most frequent first.
REASONS = 4


class Share(NamedTuple):
    """A share of attempts, and its 95 % confidence interval.

    Attributes:
        events: The number of attempts counted.
        of: The number of all attempts.
        value: The share, 0 to 1.
        low: The lower end of the interval.
        high: The upper end of the interval.
    """

    events: int
    of: int
    value: float
    low: float
    high: float


def share(count: int, of: int) -> Share:
    """Return a share with Wilson's confidence interval, which also holds for rare events.

    The source is Wilson, "Probable inference, the law of succession, and statistical inference",
    1927.
    """
    square = DEVIATIONS**2
    value = count / of
    centre = (value + square / (2 * of)) / (1 + square / of)
    reach = sqrt(value * (1 - value) / of + square / (4 * of**2)) * DEVIATIONS / (1 + square / of)
    # The ends of the scale are exact, without rounding errors.
    low = centre - reach if count else 0.0
    high = centre + reach if count < of else 1.0
    return Share(count, of, value, low, high)


def rows(verdicts: Iterable[tuple[int, Verdict]]) -> list[dict[str, Any]]:
    """Return a row of results for each scenario with at least one attempt.

    Args:
        verdicts: Pairs of a scenario's index in `SCENARIOS` and the verdict on one attempt.
    """
    by_scenario: dict[int, list[Verdict]] = {}
    for index, verdict in verdicts:
        by_scenario.setdefault(index, []).append(verdict)
    return [_row(SCENARIOS[index], found) for index, found in sorted(by_scenario.items())]


def broken(results: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return the names of the scenarios in which more attempts than promised went wrong."""
    return [row["attempt"] for row in results if row["holds"] is False]


def text(results: Sequence[Mapping[str, Any]]) -> str:
    """Return the results as text for people to read."""
    return "\n".join(_lines(results))


def _row(scenario: Scenario, verdicts: Sequence[Verdict]) -> dict[str, Any]:
    succeeded = sum(not verdict.reason for verdict in verdicts)
    wrong = len(verdicts) - succeeded if scenario.genuine else succeeded
    rate = share(wrong, len(verdicts))
    reasons = Counter(verdict.reason for verdict in verdicts if verdict.reason)
    return {
        "attempt": scenario.name,
        "true": scenario.genuine,
        "attempts": len(verdicts),
        "live": sum(verdict.live for verdict in verdicts),
        "through": succeeded,
        "rate": rate._asdict(),
        "most": scenario.limit,
        "holds": None if scenario.limit is None else rate.value <= scenario.limit,
        "reasons": dict(reasons.most_common()),
    }


def _lines(results: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    attacks = [row for row in results if not row["true"]]
    if attacks:
        yield from _table("Attacks", "succeeded", attacks)
    genuine = [row for row in results if row["true"]]
    if attacks and genuine:
        yield ""
    if genuine:
        yield from _table("Genuine attempts", "refused", genuine)
    yield ""
    yield (
        "live: taken for a live person. A successful attempt was also taken for the right person."
    )


def _table(title: str, counted: str, results: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    yield (
        f"{title:44}{'attempts':>9}{'live':>6}{counted:>13}{'%':>7}{'95 %':>13}{'limit':>9}  "
        "reasons for refusal"
    )
    for row in results:
        rate = {name: value * 100 for name, value in row["rate"].items()}
        limit = "-" if row["most"] is None else f"{row['most'] * 100:g}"
        mark = "" if row["holds"] is not False else " !"
        reasons = list(row["reasons"].items())
        listed = ", ".join(f"{reason} {count}" for reason, count in reasons[:REASONS])
        if rest := sum(count for _reason, count in reasons[REASONS:]):
            listed += f", others {rest}"
        interval = f"{rate['low']:.1f}-{rate['high']:.1f}"
        yield (
            f"{row['attempt']:44}{row['attempts']:9}{row['live']:6}{row['rate']['events']:13}"
            f"{rate['value']:7.1f}{interval:>13}{limit + mark:>9}  {listed}"
        ).rstrip()
