from __future__ import annotations

import math

import pytest

from faceauth.policy import Match, decide


def test_nearest_within_the_distance_gets_in():
    assert decide([Match("ada", 0.2), Match("bob", 0.5)]) == Match("ada", 0.2)
    assert decide([Match("ada", 0.2)]) == Match("ada", 0.2)


@pytest.mark.parametrize(
    "matches",
    [
        [],
        [Match("ada", 0.4)],
        [Match("ada", math.inf)],
        [Match("ada", math.nan)],
        [Match("ada", 0.2), Match("bob", 0.22)],
    ],
)
def test_nobody_near_or_two_nearly_as_near_get_nowhere(matches):
    assert decide(matches) is None


def test_distance_is_a_setting_read_at_once(settings):
    settings.FACEAUTH = {"MAX_DISTANCE": 0.1}
    assert decide([Match("ada", 0.2)]) is None
