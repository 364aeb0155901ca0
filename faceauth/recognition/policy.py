"""Who may in: the one place that decides."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from typing import NamedTuple

from faceauth import conf

from .calibration import Limit, calibration

# Where the second-best person is nearly as near as the best, neither is sure. Of dlib's encodings,
# see `Calibration.scale`.
AMBIGUOUS_WITHIN = 0.03


class Match(NamedTuple):
    """A person, how far the probe is from their template, and how many shots that is made of."""

    key: int | str
    distance: float
    shots: int


class Outcome(Enum):
    """What became of an attempt."""

    ACCEPTED = "accepted"
    TOO_FAR = "too_far"
    AMBIGUOUS = "ambiguous"
    NOBODY = "nobody"


class Decision(NamedTuple):
    """The outcome, the person it was about, and the limit that they were held to."""

    outcome: Outcome
    match: Match | None = None
    limit: Limit | None = None

    @property
    def accepted(self) -> Match | None:
        """The person that the probe shows, or None."""
        return self.match if self.outcome is Outcome.ACCEPTED else None


def verify(match: Match, frames: int) -> Decision:
    """Whether a probe of so many frames shows the person it is said to show (1:1)."""
    return _decide([match], frames, conf.get().MAX_FALSE_MATCH_RATE)


def identify(matches: Sequence[Match], frames: int, people: int) -> Decision:
    """Which of so many people enrolled a probe shows (1:N), by the nearest, nearest first.

    A stranger has as many chances as there are people: each gets its share of the rate.
    """
    return _decide(matches, frames, conf.get().MAX_FALSE_IDENTIFICATION_RATE / max(people, 1))


def limit(shots: int, frames: int, rate: float) -> Limit:
    """Up to which distance so many shots and frames are one person, at a false-match rate; or
    at the distance that the owner has set by hand.
    """
    by_hand = conf.get().MAX_DISTANCE
    if by_hand is not None:
        return calibration().at_distance(shots, frames, by_hand)
    return calibration().limit(shots, frames, rate)


def _decide(matches: Sequence[Match], frames: int, rate: float) -> Decision:
    if not matches:
        return Decision(Outcome.NOBODY)
    best = matches[0]
    allowed = limit(best.shots, frames, rate)
    if not best.distance <= allowed.distance:
        return Decision(Outcome.TOO_FAR, best, allowed)
    unsure = AMBIGUOUS_WITHIN * calibration().scale
    if len(matches) > 1 and matches[1].distance - best.distance < unsure:
        return Decision(Outcome.AMBIGUOUS, best, allowed)
    return Decision(Outcome.ACCEPTED, best, allowed)
