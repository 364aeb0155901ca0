"""Check the settings that decide who is accepted, and say what they mean in numbers of people."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from django.core.checks import CheckMessage, Info, Tags, Warning, register

from faceauth import conf
from faceauth.recognition import policy
from faceauth.recognition.calibration import Limit, calibration

from .database import count_enrolled
from .settings import Configs, setting_errors

# The highest rates without a warning.
LAX_RATES = {"MAX_FALSE_MATCH_RATE": 1e-3, "MAX_FALSE_IDENTIFICATION_RATE": 1e-2}

# The highest share of enrolled users that one look may refuse without a warning.
MAX_REFUSED = 0.1

# The number of people on a small site, as an example of what MAX_DISTANCE amounts to.
SOME_PEOPLE = 100

MEASURE = (
    "Nothing needs to be changed: the distance errs on the side of refusing. For a measured one, "
    "run face_evaluate --write on photos of more people, and set CALIBRATION to its folder."
)


@register(Tags.security)
def check_rates(app_configs: Configs, **kwargs: Any) -> list[CheckMessage]:
    """Check the rates, or the distance that replaces them, for any number of enrolled users."""
    if setting_errors():
        return []
    config = conf.get()
    if config.MAX_DISTANCE is not None:
        return [_distance_warning(config.MAX_DISTANCE)]
    found = [*_rate_warnings("MAX_FALSE_MATCH_RATE", config.MAX_FALSE_MATCH_RATE)]
    if config.FACE_ALONE:
        rate = config.MAX_FALSE_IDENTIFICATION_RATE
        found += _rate_warnings("MAX_FALSE_IDENTIFICATION_RATE", rate)
    return found


@register(Tags.database)
def check_people(
    app_configs: Configs, databases: Sequence[str] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """Check how face-alone logins treat strangers and users, at the current number of users."""
    if setting_errors() or not conf.get().FACE_ALONE:
        return []
    people = count_enrolled(databases or ())
    return [*face_alone_warnings(people)] if people else []


def face_alone_warnings(people: int) -> Iterator[CheckMessage]:
    """Yield what face-alone logins mean for that number of enrolled users, at least one."""
    config = conf.get()
    stated = config.MAX_FALSE_IDENTIFICATION_RATE
    limit = _limit(stated / people)
    enrolled = f"{people:,} {'people' if people > 1 else 'person'} enrolled"
    needs = (
        f"Face alone, with {enrolled}, at a rate of {_odds(stated)}, needs a false-match rate of "
        f"{_odds(limit.rate)} for each of them"
    )
    if config.MAX_DISTANCE is not None:
        if (rate := _any_match_rate(limit.rate, people)) > stated:
            message = (
                f"FACEAUTH['MAX_DISTANCE'] of {config.MAX_DISTANCE}, face alone, with {enrolled}, "
                f"accepts about {_odds(rate)} of all strangers as one of them. The "
                f"MAX_FALSE_IDENTIFICATION_RATE that it replaces is {_odds(stated)}."
            )
            hint = "Leave MAX_DISTANCE out, or set FACE_ALONE to False."
            yield Warning(message, hint=hint, id="faceauth.W006")
    elif limit.fnmr > MAX_REFUSED:
        hint = (
            "Have users say who they are, by a device that remembers them or by their username: "
            "FACE_ALONE: False makes that the rule. More pictures per user, ENROLMENT_SHOTS, also "
            "help."
        )
        yield Warning(f"{needs}. {_cost(limit)}", hint=hint, id="faceauth.W004")
    elif not limit.supported:
        yield Info(f"{needs}. {_cost(limit)}", hint=MEASURE, id="faceauth.I001")


def _distance_warning(distance: float) -> CheckMessage:
    config = conf.get()
    shots, frames = config.ENROLMENT_SHOTS, config.LOGIN_FRAMES
    rate = policy.limit(shots, frames, config.MAX_FALSE_MATCH_RATE).rate
    single = calibration().at_distance(1, 1, distance).rate
    laxer = "laxer" if rate > config.MAX_FALSE_MATCH_RATE else "no laxer"
    message = (
        f"FACEAUTH['MAX_DISTANCE'] of {distance} accepts about {_odds(rate)} of all strangers as a "
        f"given user with {shots} pictures enrolled and {frames} shown, {_odds(single)} with one "
        f"picture each, and face alone, with {SOME_PEOPLE} people enrolled, "
        f"{_odds(_any_match_rate(rate, SOME_PEOPLE))} as one of them. That is {laxer} than the "
        f"MAX_FALSE_MATCH_RATE that it replaces, {_odds(config.MAX_FALSE_MATCH_RATE)}."
    )
    hint = (
        "Leave it out: the rates then set the distance for the number of pictures and people. The "
        "0.6 of face_recognition does not apply here, because distances are measured differently."
    )
    return Warning(message, hint=hint, id="faceauth.W001")


def _rate_warnings(key: str, rate: float) -> Iterator[CheckMessage]:
    if rate > LAX_RATES[key]:
        message = f"FACEAUTH[{key!r}] of {rate} accepts {_odds(rate)} of all strangers."
        hint = (
            "NIST SP 800-63B-4 requires a false-match rate of at most 1 in 10,000. If this is "
            "intended, add 'faceauth.W002' to SILENCED_SYSTEM_CHECKS."
        )
        yield Warning(message, hint=hint, id="faceauth.W002")
    limit = _limit(rate)
    if not limit.supported:
        message = f"FACEAUTH[{key!r}] is {_odds(rate)}. {_cost(limit)}"
        yield Warning(message, hint=MEASURE, id="faceauth.W003")


def _limit(rate: float) -> Limit:
    """Return the limit for the site's number of shots and one look.

    The frames of one look mostly count as a single picture (`matching.effective_frames`).
    """
    return policy.limit(conf.get().ENROLMENT_SHOTS, 1, rate)


def _cost(limit: Limit) -> str:
    """Describe who would be refused and, if the rate is extrapolated, how far the table goes."""
    cost = f"About {_odds(limit.fnmr)} of enrolled users would be refused at one look."
    if limit.supported:
        return cost
    return (
        f"The calibration is measured down to {_odds(limit.measured_to)}, on {limit.pairs:,} pairs "
        f"of strangers; the distance used, {limit.distance:.3f}, is a strict extrapolation. {cost}"
    )


def _any_match_rate(rate: float, people: int) -> float:
    """Return the rate at which a stranger matches any of the people, each of whom at `rate`."""
    return 1 - (1 - rate) ** people


def _odds(rate: float) -> str:
    """Return a rate in two significant digits, such as "1 in 2,300" or "46 %"."""
    if not 0 < rate < 0.1:
        return f"{100 * rate:.0f} %"
    return f"1 in {float(f'{1 / rate:.2g}'):,.0f}"
