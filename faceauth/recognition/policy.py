"""The decision whether a probe shows a person. Every login and every comparison is decided here."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from typing import NamedTuple

from faceauth import conf

from .calibration import Limit, calibration

# If the second-best person is nearly as near as the best, within this distance, neither is
# certain. The figure is for dlib's encodings, see `Calibration.scale`.
AMBIGUOUS_WITHIN = 0.03


class Match(NamedTuple):
    """A person, the probe's distance from their template, and the template's number of shots."""

    key: int | str
    distance: float
    shots: int


class Outcome(Enum):
    """The possible outcomes of an attempt."""

    ACCEPTED = "accepted"
    TOO_FAR = "too_far"
    AMBIGUOUS = "ambiguous"
    NOBODY = "nobody"


class Decision(NamedTuple):
    """An outcome, the person that it is about, and the limit that was applied."""

    outcome: Outcome
    match: Match | None = None
    limit: Limit | None = None

    @property
    def accepted(self) -> Match | None:
        """Return the person that the probe shows, or None."""
        return self.match if self.outcome is Outcome.ACCEPTED else None


def verify(match: Match, frames: int) -> Decision:
    """Decide whether a probe of this many frames shows one given person (1:1)."""
    return _decide([match], frames, conf.get().MAX_FALSE_MATCH_RATE)


def verify_among(matches: Sequence[Match], frames: int) -> Decision:
    """Decide which of a few known people a probe shows, if any.

    Together they get the rate of one: a stranger who finds a family's device has no better chances.

    Args:
        matches: The people, nearest first.
        frames: The probe's effective number of frames.
    """
    return _decide(matches, frames, conf.get().MAX_FALSE_MATCH_RATE / max(len(matches), 1))


def identify(matches: Sequence[Match], frames: int, people: int) -> Decision:
    """Decide which of the enrolled people a probe shows (1:N).

    A stranger has as many chances as there are people, so each person gets an equal share of the
    rate.

    Args:
        matches: The nearest people, nearest first.
        frames: The probe's effective number of frames.
        people: How many people are enrolled.
    """
    return _decide(matches, frames, conf.get().MAX_FALSE_IDENTIFICATION_RATE / max(people, 1))


def limit(shots: int, frames: int, rate: float) -> Limit:
    """Return the limit for a number of shots and frames.

    It is the limit at this false-match rate, or at the distance that the setting ``MAX_DISTANCE``
    fixes.
    """
    fixed = conf.get().MAX_DISTANCE
    if fixed is not None:
        return calibration().at_distance(shots, frames, fixed)
    return calibration().at_rate(shots, frames, rate)


def _decide(matches: Sequence[Match], frames: int, rate: float) -> Decision:
    if not matches:
        return Decision(Outcome.NOBODY)
    best = matches[0]
    allowed = limit(best.shots, frames, rate)
    # Written so that a distance that is not a number is refused.
    if not best.distance <= allowed.distance:
        return Decision(Outcome.TOO_FAR, best, allowed)
    margin = AMBIGUOUS_WITHIN * calibration().scale
    if len(matches) > 1 and matches[1].distance - best.distance < margin:
        return Decision(Outcome.AMBIGUOUS, best, allowed)
    return Decision(Outcome.ACCEPTED, best, allowed)
