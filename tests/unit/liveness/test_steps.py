"""The steps of a challenge: which movements are the ones that were asked for."""

from __future__ import annotations

import math
import secrets
from collections import Counter
from collections.abc import Callable, Iterable
from itertools import permutations

import pytest

from faceauth.liveness import steps
from faceauth.liveness.sightings import Sighting
from faceauth.liveness.steps import CLOSER, DIRECTIONS, Verdict

SHOWN = 1.0  # seconds: when the step is shown
REST = Sighting(at=0.9, yaw=3.0, pitch=8.0, squeeze=0.95, skew=0.01, size=0.5, x=0.5, y=0.5)

# Before a test has its own.
RANDOM = steps._random

# A path of a head: seconds since the step was shown, to (yaw, pitch, size) from rest.
Path = Callable[[float], tuple[float, float, float]]


def moves(towards: str, *, degrees: float = 18.0, after: float = 0.35, takes: float = 0.5) -> Path:
    """Return the path of a head that turns from rest in one direction, and stays there."""
    aside, up = DIRECTIONS[towards]

    def path(time: float) -> tuple[float, float, float]:
        share = degrees * min(1.0, max(0.0, (time - after) / takes))
        return share * aside, share * up, 1.0

    return path


def comes_closer(by: float = 1.4, *, after: float = 0.35, takes: float = 0.8) -> Path:
    """Return the path of a head that comes closer, and lowers the chin a little meanwhile."""

    def path(time: float) -> tuple[float, float, float]:
        share = min(1.0, max(0.0, (time - after) / takes))
        return 0.0, -6 * share, by**share

    return path


def sightings(
    path: Path, shape: Callable[[float], dict[str, float]] | None = None
) -> list[Sighting]:
    """Return what is seen of a path, eight times a second."""
    seen = [REST]
    for count in range(1, 28):
        time = count / 8
        yaw, pitch, nearer = path(time)
        seen.append(
            REST._replace(
                at=SHOWN + time,
                yaw=REST.yaw + yaw,
                pitch=REST.pitch + pitch,
                size=REST.size * nearer,
                **(shape(time) if shape else {}),
            )
        )
    return seen


def answer(step: str, seen: list[Sighting]) -> Verdict:
    """Return what becomes of a step: the first verdict but "on"."""
    for count in range(2, len(seen) + 1):
        verdict = steps.judge(step, REST, seen[:count], SHOWN).verdict
        if verdict is not Verdict.ON:
            return verdict
    return Verdict.ON


def chance(films: Iterable[list[Sighting]]) -> float:
    """Return the share of the directions that films do, over all films and directions."""
    verdicts = Counter(answer(step, film) for film in films for step in DIRECTIONS)
    return verdicts[Verdict.DONE] / verdicts.total()


@pytest.mark.parametrize("step", DIRECTIONS)
@pytest.mark.parametrize("asked", DIRECTIONS)
def test_a_turn_is_the_step_of_its_direction_and_of_no_other(asked: str, step: str) -> None:
    expected = Verdict.DONE if step == asked else Verdict.WRONG
    opposite = math.hypot(*map(sum, zip(DIRECTIONS[step], DIRECTIONS[asked], strict=True))) < 1.5
    verdict = answer(asked, sightings(moves(step)))
    assert verdict is expected or (not opposite and verdict is not Verdict.DONE)


@pytest.mark.parametrize("step", DIRECTIONS)
def test_the_smallest_turn_that_counts_is_small(step: str) -> None:
    assert answer(step, sightings(moves(step, degrees=11))) is Verdict.DONE
    assert answer(step, sightings(moves(step, degrees=5))) is Verdict.LATE


def test_a_slow_head_has_the_time_it_needs() -> None:
    assert answer("left", sightings(moves("left", after=1.0, takes=1.6))) is Verdict.DONE


def test_a_turn_may_be_a_little_off() -> None:
    """Whoever turns to the side lowers or raises the chin with it."""

    def path(time: float) -> tuple[float, float, float]:
        aside, _, size = moves("left")(time)
        return aside, -0.4 * aside, size

    assert answer("left", sightings(path)) is Verdict.DONE


def test_a_turn_that_begins_before_anybody_can_have_seen_the_step_is_no_answer() -> None:
    assert answer("left", sightings(moves("left", after=-0.1))) is Verdict.WRONG


def test_after_a_step_the_head_may_still_go_on_with_that_one() -> None:
    """No way back to the middle: the head is still turned when the next step is shown."""

    def path(time: float) -> tuple[float, float, float]:
        before = 16 + 6 * min(1.0, time / 0.25)  # further to the left
        share = min(1.0, max(0.0, (time - 0.5) / 0.6))
        return before * (1 - share) - 16 * share, 0.0, 1.0

    seen = sightings(path)
    seen[0] = seen[0]._replace(yaw=REST.yaw + 16)
    assert answer("right", seen) is Verdict.DONE


FAR = 24.0  # degrees: where the step before has led


def goes_on(before: str, towards: str, *, by: tuple[float, float] | None = None) -> list[Sighting]:
    """Return what is seen of a head that is turned by a step and answers the next, eight a second.

    Args:
        before: Where the head is turned when the next step is shown.
        towards: Where it goes then.
        by: Where it passes by on the way, in degrees; None if it goes straight.
    """
    start, goal = ([FAR * each for each in DIRECTIONS[name]] for name in (before, towards))
    places = [start, by, goal] if by else [start, goal]

    def path(time: float) -> tuple[float, float, float]:
        share = min(1.0, max(0.0, (time - 0.35) / 1.4)) * (len(places) - 1)
        leg = min(int(share), len(places) - 2)
        (x, y), (to_x, to_y) = places[leg], places[leg + 1]
        share -= leg
        return x + share * (to_x - x), y + share * (to_y - y), 1.0

    seen = sightings(path)
    seen[0] = seen[0]._replace(yaw=REST.yaw + start[0], pitch=REST.pitch + start[1])
    return seen


@pytest.mark.parametrize(("before", "step"), [*permutations(DIRECTIONS, 2)])
def test_from_a_far_turn_a_head_may_go_straight_to_the_next_or_by_the_middle(
    before: str, step: str
) -> None:
    assert answer(step, goes_on(before, step)) is Verdict.DONE
    assert answer(step, goes_on(before, step, by=(0, 0))) is Verdict.DONE


@pytest.mark.parametrize(("before", "step"), [*permutations(DIRECTIONS, 2)])
def test_from_a_far_turn_another_way_is_still_the_wrong_one(before: str, step: str) -> None:
    for towards in set(DIRECTIONS) - {before, step}:
        apart = math.dist(DIRECTIONS[towards], DIRECTIONS[step])
        if apart > 1:  # more than 45 degrees
            assert answer(step, goes_on(before, towards, by=(0, 0))) is Verdict.WRONG


def opposite(step: str) -> str:
    aside, up = DIRECTIONS[step]
    return min(DIRECTIONS, key=lambda name: math.dist(DIRECTIONS[name], (-aside, -up)))


@pytest.mark.parametrize("before", DIRECTIONS)
def test_whoever_comes_closer_after_a_far_turn_may_look_ahead_again(before: str) -> None:
    aside, up = (FAR * each for each in DIRECTIONS[before])

    def path(time: float) -> tuple[float, float, float]:
        share = min(1.0, max(0.0, (time - 0.35) / 0.8))
        return aside * (1 - share), up * (1 - share), 1.35**share

    seen = sightings(path)
    seen[0] = seen[0]._replace(yaw=REST.yaw + aside, pitch=REST.pitch + up)
    assert answer(CLOSER, seen) is Verdict.DONE
    assert answer(CLOSER, goes_on(before, opposite(before))) is Verdict.WRONG


def test_whoever_leans_in_while_turning_turns_all_the_same() -> None:
    def path(time: float) -> tuple[float, float, float]:
        aside, up, _ = moves("left")(time)
        return aside, up, 1 + 0.006 * aside

    assert answer("left", sightings(path)) is Verdict.DONE


def test_to_come_closer_is_a_step_of_its_own() -> None:
    assert answer(CLOSER, sightings(comes_closer())) is Verdict.DONE
    assert answer(CLOSER, sightings(comes_closer(by=1.1))) is Verdict.LATE
    assert answer(CLOSER, sightings(moves("left"))) is Verdict.WRONG
    assert answer("left", sightings(comes_closer())) is Verdict.WRONG


def test_a_head_that_talks_is_not_wrong_but_late() -> None:
    def path(time: float) -> tuple[float, float, float]:
        return 3 * math.sin(5 * time), 4 * math.sin(9 * time), 1.0

    assert {answer(step, sightings(path)) for step in [*DIRECTIONS, CLOSER]} == {Verdict.LATE}


@pytest.mark.parametrize("change", [{"squeeze": 0.84}, {"squeeze": 1.25}, {"skew": 0.13}])
def test_a_turn_that_squeezes_the_face_is_a_flat_picture_that_is_tilted(
    change: dict[str, float],
) -> None:
    turn = moves("left")
    film = sightings(turn, lambda time: change if turn(time)[0] > 8 else {})
    assert answer("left", film) is not Verdict.DONE


def test_a_head_that_circles_without_end_seldom_does_what_is_asked() -> None:
    def circle(radius: float, lasts: float, begin: float) -> Path:
        start = 2 * math.pi * begin

        def path(time: float) -> tuple[float, float, float]:
            angle = start + 2 * math.pi * time / lasts
            aside = radius * (math.cos(angle) - math.cos(start))
            return aside, radius * (math.sin(angle) - math.sin(start)), 1.0

        return path

    films = [
        sightings(circle(radius, lasts, begin / 16))
        for radius in (8, 12, 16)
        for lasts in (2.0, 3.5)
        for begin in range(16)
    ]
    assert chance(films) <= 1 / 8


def test_a_film_with_all_turns_does_one_step_in_eight() -> None:
    films = [sightings(moves(step, after=wait)) for step in DIRECTIONS for wait in (0.4, 1.0, 1.6)]
    assert chance(films) == 1 / 8


def test_only_a_head_that_looks_ahead_and_holds_still_is_at_rest() -> None:
    before, still = REST, REST._replace(yaw=REST.yaw + 1)
    assert steps.at_rest([before, still]) == still
    assert steps.at_rest([before]) is None
    assert steps.at_rest([before, REST._replace(yaw=REST.yaw + 4)]) is None
    aside = REST._replace(yaw=24.0)
    assert steps.at_rest([aside, aside]) is None
    # A laptop's camera sees the face from below.
    raised = REST._replace(pitch=22.0)
    assert steps.at_rest([raised, raised]) == raised


def test_after_a_failed_challenge_the_head_is_back_where_it_rested_or_held_for_long() -> None:
    rested = REST.yaw, REST.pitch
    back = REST._replace(yaw=REST.yaw + 2)
    assert steps.at_rest([back, back], rested) == back
    turned = [REST._replace(at=count / 8, yaw=REST.yaw + 14) for count in range(9)]
    assert steps.at_rest(turned[:8], rested) is None
    assert steps.at_rest(turned, rested) == turned[-1]


def test_nobody_can_tell_what_is_drawn_next() -> None:
    assert isinstance(RANDOM, secrets.SystemRandom)


def test_a_short_challenge_is_one_of_nine_and_a_full_one_has_three_different_steps() -> None:
    short = Counter(tuple(steps.draw("short")) for _ in range(4000))
    assert {drawn[-1] for drawn in short} == set(DIRECTIONS)
    closer = sum(count for drawn, count in short.items() if drawn[0] == CLOSER)
    assert 300 < closer < 600
    for drawn in (steps.draw("full") for _ in range(200)):
        assert len(set(drawn)) == 3 and CLOSER in drawn
