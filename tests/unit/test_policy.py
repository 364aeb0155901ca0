from __future__ import annotations

import math

import pytest

from faceauth.recognition import policy
from faceauth.recognition.calibration import calibration
from faceauth.recognition.policy import AMBIGUOUS_WITHIN, Match, Outcome

FAR = Match("eve", 0.9, 3)


def ada(distance, shots=3):
    return Match("ada", distance, shots)


def allowed(people=1, shots=3, frames=1):
    """Return the distance up to which face alone is accepted."""
    return policy.identify([FAR._replace(shots=shots)], frames, people).limit.distance


def test_person_within_the_distance_gets_in():
    assert policy.verify(ada(0.1), frames=1).accepted == ada(0.1)
    assert policy.identify([ada(0.1)], frames=1, people=1).accepted == ada(0.1)
    assert policy.identify([ada(0.1), FAR], frames=1, people=2).accepted == ada(0.1)


@pytest.mark.parametrize("distance", [0.6, math.inf, math.nan])
def test_person_too_far_or_nowhere_does_not(distance):
    for decision in (
        policy.verify(ada(distance), frames=3),
        policy.identify([ada(distance)], frames=3, people=1),
    ):
        assert decision.outcome is Outcome.TOO_FAR
        assert decision.accepted is None
        assert decision.match.key == "ada"


def test_verification_holds_to_the_rate_for_a_username():
    decision = policy.verify(ada(0.1), frames=1)
    assert decision.limit == policy.limit(3, 1, 1e-4)
    edge = decision.limit.distance
    assert policy.verify(ada(edge), frames=1).outcome is Outcome.ACCEPTED
    assert policy.verify(ada(edge + 1e-4), frames=1).outcome is Outcome.TOO_FAR


def test_nobody_enrolled_is_nobody_found():
    decision = policy.identify([], frames=1, people=0)
    assert decision == (Outcome.NOBODY, None, None)
    assert decision.accepted is None


def test_second_person_nearly_as_near_makes_it_a_refusal():
    twin = Match("bob", 0.1 + AMBIGUOUS_WITHIN / 2, 3)
    decision = policy.identify([ada(0.1), twin], frames=1, people=2)
    assert decision.outcome is Outcome.AMBIGUOUS
    assert decision.accepted is None
    other = Match("bob", 0.1 + AMBIGUOUS_WITHIN * 2, 3)
    assert policy.identify([ada(0.1), other], frames=1, people=2).accepted == ada(0.1)


def test_same_face_is_recognised_among_ten_and_refused_among_ten_thousand():
    between = ada((allowed(10) + allowed(10_000)) / 2)
    assert policy.identify([between, FAR], frames=1, people=10).accepted == between
    crowd = policy.identify([between, FAR], frames=1, people=10_000)
    assert crowd.outcome is Outcome.TOO_FAR
    assert crowd.limit.rate == pytest.approx(1e-3 / 10_000)


def test_username_lets_in_whom_a_crowd_does_not():
    between = ada((allowed(10_000) + policy.limit(3, 1, 1e-4).distance) / 2)
    assert policy.verify(between, frames=1).accepted == between
    assert policy.identify([between], frames=1, people=10_000).accepted is None


def test_distance_follows_the_pictures_on_both_sides():
    limits = {(shots, frames): allowed(10, shots, frames) for shots in (1, 5) for frames in (1, 3)}
    assert len(set(limits.values())) == 4
    assert min(limits, key=limits.get) == (5, 3)


def test_stated_rates_are_read_at_once(settings):
    usual = policy.verify(ada(0.1), frames=1).limit, allowed()
    settings.FACEAUTH = {"MAX_FALSE_MATCH_RATE": 1e-5, "MAX_FALSE_IDENTIFICATION_RATE": 1e-4}
    strict = policy.verify(ada(0.1), frames=1).limit, allowed()
    assert (usual[0].rate, strict[0].rate) == (1e-4, 1e-5)
    assert strict[0].distance < usual[0].distance
    assert strict[1] < usual[1]


def test_distance_set_by_hand_holds_for_all_pictures_and_people(settings):
    settings.FACEAUTH = {"MAX_DISTANCE": 0.2}
    for frames, shots, people in ((1, 1, 1), (3, 5, 10_000)):
        assert policy.verify(ada(0.2, shots), frames).outcome is Outcome.ACCEPTED
        assert policy.verify(ada(0.201, shots), frames).outcome is Outcome.TOO_FAR
        assert policy.identify([ada(0.2, shots)], frames, people).outcome is Outcome.ACCEPTED
        assert policy.identify([ada(0.201, shots)], frames, people).outcome is Outcome.TOO_FAR


def test_distance_set_by_hand_comes_with_the_rate_that_it_stands_for(settings):
    settings.FACEAUTH = {"MAX_DISTANCE": 0.35}
    assert policy.limit(3, 1, 1e-4) == calibration().at_distance(3, 1, 0.35)
    assert policy.limit(3, 1, 1e-4).rate > 1e-4


@pytest.mark.parametrize("distance", [math.inf, math.nan])
def test_no_distance_set_by_hand_lets_in_who_has_no_face(settings, distance):
    settings.FACEAUTH = {"MAX_DISTANCE": 0.6}
    assert policy.verify(ada(distance), frames=1).accepted is None
