from __future__ import annotations

import numpy as np
import pytest

from faceauth.evaluation.scores import PROBES, Scores, score, split
from tests.unit.evaluation.conftest import crowd


def counted(genuine, impostors):
    """Scores of given distances: one template of person 0, probes of persons 0 and 1."""
    scores = Scores(1, 1, 2)
    distances = np.float32([[*genuine, *impostors]])
    columns = np.array([0] * len(genuine) + [1] * len(impostors))
    scores.add(distances, np.array([0]), columns)
    return scores


def test_rates_are_shares_of_those_on_the_wrong_side():
    scores = counted(genuine=[0.1, 0.2, 0.5, 0.6], impostors=[0.3, 0.7, 0.8, 0.9, 1.0])
    assert scores.fnmr(0.4).value == 0.5
    assert scores.fmr(0.4).value == 0.2
    assert (scores.fmr(0.4).events, scores.fmr(0.4).of) == (1, 5)
    assert scores.fmr(0.2).value == 0
    assert scores.fnmr(0.6).value == 0


def test_distances_added_later_count_too():
    scores = counted([0.1], [1.0])
    assert (scores.eer(), scores.fmr(0.5).value) == (0, 0)
    scores.add(np.float32([[0.6, 0.4]]), np.array([0]), np.array([0, 1]))
    assert list(scores.genuine) == pytest.approx([0.1, 0.6])
    assert list(scores.impostors) == pytest.approx([0.4, 1.0])
    assert scores.fmr(0.5).value == 0.5


def test_rate_without_events_has_an_upper_bound():
    rate = counted([0.1], [1.0] * 300).fmr(0.5)
    assert (rate.value, rate.low) == (0, 0)
    assert rate.high == pytest.approx(0.01)


def test_equal_error_rate():
    assert counted([0.1, 0.2, 0.3, 0.6], [0.5, 0.7, 0.8, 0.9]).eer() == 0.25
    assert counted([0.1, 0.2], [0.5, 0.7]).eer() == 0


def test_limit_lets_no_more_through_than_its_rate():
    random = np.random.default_rng(0)
    scores = counted(random.normal(0.3, 0.1, 500), random.normal(0.9, 0.1, 5000))
    for rate in (0.1, 0.01, 0.001):
        events = scores.fmr(scores.limit(rate)).events
        assert events == pytest.approx(rate * 5000, abs=1)
        assert events <= rate * 5000


def test_every_pair_of_photos_counts_once(people):
    scores = score(people, 1, 1)
    photos = 60 * 6
    assert len(scores.genuine) == 60 * 6 * 5 / 2
    assert len(scores.genuine) + len(scores.impostors) == photos * (photos - 1) / 2


def test_interval_is_that_of_people_not_of_pairs():
    # All that goes wrong goes wrong with one person out of sixty.
    scores = Scores(1, 1, 60)
    owners = np.repeat(np.arange(60), 10)
    distances = np.where(owners == 7, 0.9, 0.1).astype(np.float32)
    for owner in range(60):
        mine = owners == owner
        scores.add(distances[None, mine], np.array([owner]), owners[mine])
    rate = scores.fnmr(0.5)
    assert rate.value == pytest.approx(1 / 60)
    assert rate.low == 0
    assert rate.high > 0.04


def test_interval_of_false_matches_holds_the_rate(people):
    scores = score(people, 3, 1)
    for share in (0.02, 0.005):
        rate = scores.fmr(scores.limit(share))
        assert rate.low <= rate.value <= rate.high
        assert rate.low < rate.high < 10 * share


def test_photos_enrolled_are_not_shown():
    people = crowd(4, 5)
    templates, rows, probes, columns = split(people, 3, 2, seed=0)
    assert rows.tolist() == columns.tolist() == [0, 1, 2, 3]
    euclidean = np.sqrt(np.maximum(2 - 2 * templates.vectors @ probes.vectors.T, 0))
    assert euclidean.min() > 0.1


def test_person_with_too_few_photos_is_a_stranger():
    people = [*crowd(3, 4), *crowd(5, 1, seed=1)]
    _, rows, _, columns = split(people, 3, 1, seed=0)
    assert rows.tolist() == [0, 1, 2]
    assert columns.tolist() == list(range(8))


def test_person_with_many_photos_does_not_dominate():
    _, _, _, columns = split([*crowd(1, 100), *crowd(2, 2, seed=1)], 1, 1, seed=0)
    assert (columns == 0).sum() == PROBES
