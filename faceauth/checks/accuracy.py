"""What the settings that decide who gets in amount to, in people: the warnings of `checks`."""

from __future__ import annotations

from collections.abc import Iterator

from django.core.checks import CheckMessage, Info, Warning

from faceauth import conf
from faceauth.recognition import policy
from faceauth.recognition.calibration import Limit, calibration

# The highest rates that nobody is warned about.
LAX_RATES = {"MAX_FALSE_MATCH_RATE": 1e-3, "MAX_FALSE_IDENTIFICATION_RATE": 1e-2}

# The highest share of the people enrolled that may be refused at one look without a warning.
REFUSED = 0.1

# How many people a small site has, to show what a distance set by hand amounts to.
SOME_PEOPLE = 100

MEASURE = (
    "Nothing need change: the distance errs towards refusing. For a measured one, run "
    "face_evaluate --write on photos of more people, and name its folder in CALIBRATION."
)


def of_settings() -> Iterator[CheckMessage]:
    """Of the rates, or of the distance set by hand in their place; however many are enrolled."""
    now = conf.get()
    if now.MAX_DISTANCE is not None:
        yield _of_distance(now.MAX_DISTANCE)
        return
    yield from _of_rate("MAX_FALSE_MATCH_RATE", now.MAX_FALSE_MATCH_RATE)
    if now.FACE_ALONE:
        yield from _of_rate("MAX_FALSE_IDENTIFICATION_RATE", now.MAX_FALSE_IDENTIFICATION_RATE)


def of_face_alone(people: int) -> Iterator[CheckMessage]:
    """Of face alone, with so many people enrolled, one or more."""
    now = conf.get()
    stated = now.MAX_FALSE_IDENTIFICATION_RATE
    limit = _limit(stated / people)
    enrolled = f"{people:,} {'people' if people > 1 else 'person'} enrolled"
    needs = (
        f"Face alone, with {enrolled}, at {_often(stated)} needs a false-match rate of "
        f"{_often(limit.rate)} for each of them"
    )
    if now.MAX_DISTANCE is not None:
        if (anybody := _anybody(limit.rate, people)) > stated:
            message = (
                f"FACEAUTH['MAX_DISTANCE'] of {now.MAX_DISTANCE}, face alone, with {enrolled}, "
                f"takes about {_often(anybody)} of all strangers for one of them. The "
                f"MAX_FALSE_IDENTIFICATION_RATE that it replaces is {_often(stated)}."
            )
            hint = "Leave MAX_DISTANCE out, or set FACE_ALONE to False."
            yield Warning(message, hint=hint, id="faceauth.W006")
    elif limit.fnmr > REFUSED:
        hint = (
            "Have people say who they are, by a device that remembers them or by their username: "
            "FACE_ALONE: False makes that the rule. More pictures of each, ENROLMENT_SHOTS, "
            "help as well."
        )
        yield Warning(f"{needs}. {_cost(limit)}", hint=hint, id="faceauth.W004")
    elif not limit.supported:
        yield Info(f"{needs}. {_cost(limit)}", hint=MEASURE, id="faceauth.I001")


def _of_distance(distance: float) -> CheckMessage:
    now = conf.get()
    shots, frames = now.ENROLMENT_SHOTS, now.LOGIN_FRAMES
    rate = policy.limit(shots, frames, now.MAX_FALSE_MATCH_RATE).rate
    single = calibration().at_distance(1, 1, distance).rate
    laxer = "laxer" if rate > now.MAX_FALSE_MATCH_RATE else "no laxer"
    message = (
        f"FACEAUTH['MAX_DISTANCE'] of {distance} takes about {_often(rate)} of all strangers for a "
        f"given user with {shots} pictures enrolled and {frames} shown, {_often(single)} with one "
        f"picture each, and face alone, with {SOME_PEOPLE} people enrolled, "
        f"{_often(_anybody(rate, SOME_PEOPLE))} for one of them. That is {laxer} than the "
        f"MAX_FALSE_MATCH_RATE that it replaces, {_often(now.MAX_FALSE_MATCH_RATE)}."
    )
    hint = (
        "Leave it out: the rates then set the distance, by the number of pictures and people. "
        "The 0.6 of face_recognition means nothing here: distances are measured differently."
    )
    return Warning(message, hint=hint, id="faceauth.W001")


def _of_rate(key: str, rate: float) -> Iterator[CheckMessage]:
    if rate > LAX_RATES[key]:
        message = f"FACEAUTH[{key!r}] of {rate} lets {_often(rate)} of all strangers in."
        hint = (
            "NIST SP 800-63B-4 asks for a false-match rate of 1 in 10,000 at most. Where you mean "
            "it, add 'faceauth.W002' to SILENCED_SYSTEM_CHECKS."
        )
        yield Warning(message, hint=hint, id="faceauth.W002")
    limit = _limit(rate)
    if not limit.supported:
        message = f"FACEAUTH[{key!r}] is {_often(rate)}. {_cost(limit)}"
        yield Warning(message, hint=MEASURE, id="faceauth.W003")


def _limit(rate: float) -> Limit:
    """What holds for as many pictures as the site enrols, and one look, which mostly counts as one
    (`matching.effective_frames`).
    """
    return policy.limit(conf.get().ENROLMENT_SHOTS, 1, rate)


def _cost(limit: Limit) -> str:
    """Who would be refused, and how far the table goes where that is not far enough."""
    cost = f"About {_often(limit.fnmr)} of those enrolled would be refused at one look."
    if limit.supported:
        return cost
    return (
        f"The calibration is measured down to {_often(limit.measured_to)}, on {limit.pairs:,} "
        f"pairs of strangers; the distance used, {limit.distance:.3f}, is a strict extension of "
        f"it. {cost}"
    )


def _anybody(rate: float, people: int) -> float:
    """How often a stranger is taken for anybody, at a false-match rate for each of the people."""
    return 1 - (1 - rate) ** people


def _often(rate: float) -> str:
    """A rate in words, to two digits: "1 in 2,300", "46 %"."""
    if not 0 < rate < 0.1:
        return f"{100 * rate:.0f} %"
    return f"1 in {float(f'{1 / rate:.2g}'):,.0f}"
