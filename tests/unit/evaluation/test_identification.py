from __future__ import annotations

import pytest

from faceauth.evaluation.identification import Trial
from tests.unit.evaluation.conftest import crowd


def test_members_get_in_and_strangers_do_not():
    result = Trial(crowd(40, 6, spread=0.08), 20, 3).attempts(3)
    assert (result.people, result.members, result.strangers) == (20, 20, 40)
    assert result.recognised == 20
    assert result.let_in == result.mistaken == 0


def test_twins_are_ambiguous_and_stay_outside():
    people = crowd(10, 4, spread=0.08)
    twins = [people[0], people[0]]
    result = Trial(twins, 2, 2).attempts(1)
    assert (result.recognised, result.mistaken) == (0, 0)
    assert result.members == 4


def test_fixed_distance_lets_strangers_in():
    result = Trial(crowd(40, 3, spread=0.03), 20, 1).fixed()
    assert result.let_in > 20


def test_too_few_people(people):
    with pytest.raises(ValueError, match="only 60"):
        Trial(people, 61, 3)
