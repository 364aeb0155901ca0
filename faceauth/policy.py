"""Who may in: the one place that decides."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from . import conf

# Where the second-best person is nearly as near as the best, neither is sure.
AMBIGUOUS_WITHIN = 0.03


class Match(NamedTuple):
    """A person and the Euclidean distance of their template from the probe."""

    key: int | str
    distance: float


def decide(matches: Sequence[Match]) -> Match | None:
    """The person that the probe shows, out of the nearest ones (nearest first), or None."""
    if not matches or not matches[0].distance <= conf.get().MAX_DISTANCE:
        return None
    if len(matches) > 1 and matches[1].distance - matches[0].distance < AMBIGUOUS_WITHIN:
        return None
    return matches[0]
