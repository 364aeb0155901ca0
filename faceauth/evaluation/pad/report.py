"""Count what became of attacks and of true attempts, as plain data and as text.

The names of the measures are those of ISO/IEC 30107-3: APCER, attacks taken for a live person;
IAPAR, attacks logged in as the person; BPCER, true attempts refused.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from math import sqrt
from typing import Any, NamedTuple

import numpy as np

from .species import SPECIES
from .trial import Attempt

DEVIATIONS = 1.96  # of a normal distribution: 95 % lie within
BOOTSTRAPS = 1000

# The number of reasons printed, the most frequent first.
REASONS = 4


class Share(NamedTuple):
    """A share, and its 95 % confidence interval.

    Attributes:
        events: The number counted.
        of: The number of all.
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


def over_people(events: Iterable[tuple[str, bool]]) -> Share:
    """Return the share of attempts that are events, with an interval over people.

    Many attempts on one person are one fact, so people are resampled, not attempts. Where all
    people are alike, it is Wilson's interval for the number of people.

    Args:
        events: The person of each attempt, and whether it is an event.
    """
    people: dict[str, list[bool]] = {}
    for person, event in events:
        people.setdefault(person, []).append(event)
    counts = np.array([[sum(found), len(found)] for found in people.values()])
    total, of = (int(each) for each in counts.sum(axis=0))
    if total in (0, of):
        bounds = share(len(people) if total else 0, len(people))
        return Share(total, of, total / of, bounds.low, bounds.high)
    random = np.random.default_rng(0)
    drawn = counts[random.integers(len(counts), size=(BOOTSTRAPS, len(counts)))].sum(axis=1)
    low, high = np.percentile(drawn[:, 0] / drawn[:, 1], (2.5, 97.5))
    return Share(total, of, total / of, float(low), float(high))


def rows(attempts: Iterable[Attempt]) -> list[dict[str, Any]]:
    """Return a row of results for each species and kind of challenge."""
    found: dict[tuple[int, str], list[Attempt]] = {}
    for each in attempts:
        found.setdefault((each.species, each.kind), []).append(each)
    # Short challenges first, and the species in their own order.
    order = sorted(found, key=lambda key: (-len(key[1]), key[0]))
    return [_row(*key, found[key]) for key in order]


def broken(results: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return the names of the species of which more attempts than promised succeeded."""
    return [row["species"] for row in results if row["holds"] is False]


def text(results: Sequence[Mapping[str, Any]]) -> str:
    """Return the results as text for people to read."""
    return "\n".join(_lines(results))


def _row(index: int, kind: str, attempts: Sequence[Attempt]) -> dict[str, Any]:
    species = SPECIES[index]
    people = {each.person for each in attempts}
    at_least_once = {each.person for each in attempts if each.logged_in}
    iapar = over_people((each.person, each.logged_in) for each in attempts)
    limit = species.limits.get(kind)
    reasons = Counter(each.reason for each in attempts if each.reason)
    return {
        "species": species.name,
        "challenge": kind,
        "attempts": len(attempts),
        "apcer": over_people((each.person, each.live) for each in attempts)._asdict(),
        "iapar": iapar._asdict(),
        "people": share(len(at_least_once), len(people))._asdict(),
        "limit": limit,
        "holds": None if limit is None else iapar.value <= limit,
        "reasons": dict(reasons.most_common()),
        "cpu": sum(each.cpu for each in attempts),
    }


def _lines(results: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for kind in dict.fromkeys(row["challenge"] for row in results):
        yield (
            f"{f'Attacks on a {kind} challenge':42}{'attempts':>9}{'APCER':>8}{'IAPAR':>8}"
            f"{'95 %':>12}{'limit':>8}{'people':>12}{'95 %':>12}  reasons for refusal"
        )
        for row in results:
            if row["challenge"] == kind:
                yield _line(row)
        yield ""
    yield "In per cent. APCER: taken for a live person. IAPAR: logged in as the person. People: as"
    yield "how many somebody logged in at least once. The intervals are over people."
    seconds = sum(row["cpu"] for row in results)
    count = sum(row["attempts"] for row in results)
    if count:
        yield f"{count} attempts took {seconds:.0f} s of CPU time, {seconds / count:.2f} s each."


def _line(row: Mapping[str, Any]) -> str:
    limit = "-" if row["limit"] is None else f"{row['limit'] * 100:g}"
    mark = "" if row["holds"] is not False else " !"
    reasons = list(row["reasons"].items())
    listed = ", ".join(f"{reason} {count}" for reason, count in reasons[:REASONS])
    if rest := sum(count for _reason, count in reasons[REASONS:]):
        listed += f", others {rest}"
    people = row["people"]
    of_all = f"{people['events']} of {people['of']}"
    return (
        f"{row['species']:42}{row['attempts']:9}{row['apcer']['value'] * 100:8.1f}"
        f"{row['iapar']['value'] * 100:8.1f}{interval(row['iapar']):>12}{limit + mark:>8}"
        f"{of_all:>12}{interval(people):>12}  {listed}"
    ).rstrip()


def interval(found: Mapping[str, float]) -> str:
    """Return the interval of a `Share` in per cent."""
    return f"{found['low'] * 100:.1f}-{found['high'] * 100:.1f}"
