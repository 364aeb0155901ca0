"""The steps of a challenge: where the head is asked to go, and whether it goes there.

A step is one of eight directions, or "closer". What counts is the first clear movement after the
step was shown, measured from how the person holds their head when they look ahead.
"""

from __future__ import annotations

import math
import secrets
from collections.abc import Sequence
from enum import Enum
from typing import NamedTuple

from .sightings import Sighting

# The system's, so that nobody can tell the next challenge from those before.
_random = secrets.SystemRandom()

Place = tuple[float, float]

CLOSER = "closer"

# The directions of the head, as (towards the person's own left, chin raised).
DIRECTIONS: dict[str, tuple[float, float]] = {
    "left": (1, 0),
    "right": (-1, 0),
    "up": (0, 1),
    "down": (0, -1),
    "left_up": (math.sqrt(0.5), math.sqrt(0.5)),
    "left_down": (math.sqrt(0.5), -math.sqrt(0.5)),
    "right_up": (-math.sqrt(0.5), math.sqrt(0.5)),
    "right_down": (-math.sqrt(0.5), -math.sqrt(0.5)),
}

# Degrees from the person's own rest.
TURNED = 10.0  # a turn this far is made
ELSEWHERE = 12.0  # a turn this far in another direction is the wrong one
STILL = 3.0  # from one frame to the next, of a head that is held still
RESTED = 6.0  # from where the head rested in the challenge before
AHEAD_YAW, AHEAD_PITCH = 20.0, 25.0  # from straight ahead, of a head at rest

# Degrees between the direction that was asked for and the one that the head takes.
WITHIN = 27.5
WRONG = 45.0
# From one turn to the next, or back to rest, a head goes about straight: so many degrees aside.
ASIDE = 6.0
BACK = 0.0, 0.0

NEARER = 1.22  # times the size at rest
# A head that rests elsewhere than in the challenge before may still be turned from that one, unless
# it is held still for so long.
HELD = 1.0  # seconds
SHORTEST = 0.3  # seconds from the step to the movement's end: nobody is quicker
LONGEST = 3.0  # seconds, by default
# Whoever sees the first step has to find out what the arrow wants of them.
FIRST = 2  # times as long
REACTION = 0.6  # seconds in which the head may still go on with the step before

# A head at rest that leaves it sooner than this after the step was shown does not answer it.
SOONEST, LEFT = 0.3, 5.0  # seconds, degrees

# The shape of a head that turns stays this near to that at rest: a factor, and a difference.
SQUEEZED, STRETCHED = 0.9, 1.16
SKEWED = 0.09


class Verdict(Enum):
    """What a movement is so far."""

    ON = "on"
    DONE = "done"
    WRONG = "wrong"
    LATE = "late"


class Progress(NamedTuple):
    """How far a step is.

    Attributes:
        verdict: What the movement is so far.
        share: How much of it is made, from 0 to 1.
    """

    verdict: Verdict
    share: float = 0.0


def draw(kind: str) -> list[str]:
    """Draw the steps of a challenge at random.

    Args:
        kind: "short" or "full".
    """
    directions = list(DIRECTIONS)
    _random.shuffle(directions)
    if kind == "short":
        # A picture that is brought closer looks like a person who comes closer, so this step is
        # never the only one.
        return directions[:1] if _random.randrange(9) else [CLOSER, directions[0]]
    steps = directions[:2]
    steps.insert(_random.randrange(3), CLOSER)
    return steps


def mirrored(step: str) -> str | None:
    """Return the step that a mirrored camera makes of this one; None if it stays the same."""
    for one, other in (("left", "right"), ("right", "left")):
        if step.startswith(one):
            return step.replace(one, other)
    return None


def is_still(seen: Sequence[Sighting]) -> bool:
    """Return True if the head looks ahead and has not moved since the frame before."""
    if len(seen) < 2:
        return False
    before, last = seen[-2:]
    ahead = abs(last.yaw) <= AHEAD_YAW and abs(last.pitch) <= AHEAD_PITCH
    return ahead and _moved(before, last) <= STILL


def at_rest(seen: Sequence[Sighting], rested: Place | None = None) -> Sighting | None:
    """Return the last sighting if the head is at rest, else None.

    Args:
        seen: A head that looks ahead and is held still, but perhaps for the last frame.
        rested: The yaw and the pitch at rest of the challenge before, if that one failed.
    """
    if not is_still(seen):
        return None
    last = seen[-1]
    back = rested is None or math.dist(rested, (last.yaw, last.pitch)) <= RESTED
    return last if back or last.at - seen[0].at >= HELD else None


def judge(
    step: str,
    rest: Sighting,
    seen: Sequence[Sighting],
    since: float,
    longest: float = LONGEST,
) -> Progress:
    """Judge the movement that follows a step.

    Args:
        step: A direction, or `CLOSER`.
        rest: The head at rest.
        seen: The head when the step was shown, and in each frame since, in order of time.
        since: When the step was shown, in seconds since the challenge was opened.
        longest: How long the movement may take, in seconds.
    """
    last = seen[-1]
    path = [(each.yaw - rest.yaw, each.pitch - rest.pitch) for each in seen]
    begin = _beginning(path, seen, since)
    start, now = path[begin], path[-1]
    nearer = last.size / max(each.size for each in seen[: begin + 1])
    if step == CLOSER:
        share = (last.size / seen[0].size - 1) / (NEARER - 1)
        wrong = _elsewhere(now, start) and not _between(now, start, BACK)
        made = share >= 1
    else:
        direction = DIRECTIONS[step]
        along = now[0] * direction[0] + now[1] * direction[1]
        away = math.degrees(math.acos(max(-1.0, min(1.0, along / (math.hypot(*now) or 1)))))
        share = along / TURNED
        made = share >= 1 and away <= WITHIN and _same_shape(rest, last)
        reach = math.hypot(*start)
        goal = reach * direction[0], reach * direction[1]
        ways = _between(now, start, goal) or _between(now, start, BACK)
        wrong = nearer >= NEARER or (away > WRONG and _elsewhere(now, start) and not ways)
        wrong = wrong or _too_soon(path, seen, since)
    share = max(0.0, min(1.0, share))
    if made and not wrong and last.at - since >= SHORTEST:
        return Progress(Verdict.DONE, 1.0)
    # A movement that ends without having been the right one is another one.
    farthest = max(path[begin:], key=lambda each: math.hypot(*each))
    ended = _elsewhere(farthest, start) and math.hypot(*now) < math.hypot(*farthest) / 2
    if wrong or (ended and not made):
        return Progress(Verdict.WRONG, share)
    return Progress(Verdict.LATE if last.at - since > longest else Verdict.ON, share)


def _too_soon(path: Sequence[tuple[float, float]], seen: Sequence[Sighting], since: float) -> bool:
    """Return True if a head at rest leaves it before anybody can have seen the step."""
    return math.hypot(*path[0]) <= 2 * STILL and any(
        each.at - since < SOONEST and min(math.hypot(*place), math.dist(place, path[0])) > LEFT
        for each, place in zip(seen, path, strict=True)
    )


def _same_shape(rest: Sighting, now: Sighting) -> bool:
    return (
        SQUEEZED <= now.squeeze / rest.squeeze <= STRETCHED and abs(now.skew - rest.skew) <= SKEWED
    )


def _beginning(path: Sequence[tuple[float, float]], seen: Sequence[Sighting], since: float) -> int:
    """Return where the movement begins: after a step, the head may still go on with that one."""
    if math.hypot(*path[0]) <= 2 * STILL:
        return 0
    early = [index for index, each in enumerate(seen) if each.at - since <= REACTION]
    return max(early, key=lambda index: math.hypot(*path[index]), default=0)


def _elsewhere(now: tuple[float, float], start: tuple[float, float]) -> bool:
    """Return True if the head is clearly turned, and clearly moved to get there."""
    return math.hypot(*now) >= ELSEWHERE <= math.hypot(now[0] - start[0], now[1] - start[1])


def _between(now: Place, start: Place, goal: Place) -> bool:
    """Return True if the head is on the straight way from one place to another."""
    way = goal[0] - start[0], goal[1] - start[1]
    gone = now[0] - start[0], now[1] - start[1]
    share = (gone[0] * way[0] + gone[1] * way[1]) / (math.hypot(*way) ** 2 or 1.0)
    share = max(0.0, min(1.0, share))
    return math.hypot(gone[0] - share * way[0], gone[1] - share * way[1]) <= ASIDE


def _moved(one: Sighting, other: Sighting) -> float:
    return math.hypot(one.yaw - other.yaw, one.pitch - other.pitch)
