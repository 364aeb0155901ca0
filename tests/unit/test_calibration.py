from __future__ import annotations

import json
from itertools import pairwise, product

import pytest

from faceauth import conf
from faceauth.recognition import policy
from faceauth.recognition.calibration import calibration

SHOTS, FRAMES = (1, 2, 3, 4, 5, 9), (1, 2, 3, 5, 8)
RATES = [10 ** (-tenths / 10) for tenths in range(10, 120)]
CELLS = list(product((1, 3, 5), (1, 3, 5)))


@pytest.fixture
def own(settings, tmp_path):
    """Make a calibration of (shots, frames, points) and set it."""

    def make(*cells):
        table = [
            {"shots": n, "frames": m, "pairs": 1000, "measured_to": 1e-2, "points": points}
            for n, m, points in cells
        ]
        (tmp_path / "calibration.json").write_text(json.dumps({"cells": table}))
        settings.FACEAUTH = {"CALIBRATION": str(tmp_path)}
        return calibration()

    return make


@pytest.mark.parametrize(("shots", "frames"), CELLS)
def test_fewer_strangers_means_a_smaller_distance_and_more_refusals(shots, frames):
    limits = [calibration().at_rate(shots, frames, rate) for rate in RATES]
    for laxer, stricter in pairwise(limits):
        assert stricter.distance < laxer.distance
        assert stricter.fnmr >= laxer.fnmr
    assert limits[0].fnmr < 0.01 < 0.9 < limits[-1].fnmr <= 1


@pytest.mark.parametrize(("shots", "frames"), list(product(SHOTS, FRAMES)))
def test_rate_of_a_distance_is_the_rate_that_the_distance_was_for(shots, frames):
    for rate in RATES:
        limit = calibration().at_rate(shots, frames, rate)
        back = calibration().at_distance(shots, frames, limit.distance)
        assert back.rate == pytest.approx(rate)
        assert back.fnmr == pytest.approx(limit.fnmr)


@pytest.mark.parametrize("rate", RATES[::7])
def test_between_measured_numbers_of_pictures_the_stricter_holds(rate):
    limit = calibration().at_rate
    for count, below, above in ((2, 1, 3), (4, 3, 5)):
        assert limit(count, 1, rate) in (limit(below, 1, rate), limit(above, 1, rate))
        assert limit(count, 1, rate).distance == min(
            limit(below, 1, rate).distance, limit(above, 1, rate).distance
        )
        assert limit(1, count, rate).distance == min(
            limit(1, below, rate).distance, limit(1, above, rate).distance
        )
    around = [limit(*cell, rate).distance for cell in product((1, 3), (3, 5))]
    assert limit(2, 4, rate).distance == min(around)


def test_beyond_measured_numbers_of_pictures_the_last_holds():
    limit = calibration().at_rate
    assert limit(9, 9, 1e-4) == limit(5, 5, 1e-4)
    assert limit(5, 3, 1e-4) != limit(3, 3, 1e-4)


def test_more_pictures_refuse_fewer_of_those_enrolled():
    refused = [calibration().at_rate(*cell, 1e-5).fnmr for cell in ((1, 1), (3, 1), (5, 3))]
    assert refused == sorted(refused, reverse=True)
    assert refused[0] > 5 * refused[-1]


@pytest.mark.parametrize("cell", CELLS)
def test_table_says_how_far_it_was_measured(cell):
    curve = calibration().curves[cell]
    assert calibration().at_rate(*cell, curve.measured_to).supported
    assert not calibration().at_rate(*cell, curve.measured_to / 2).supported
    assert not calibration().at_rate(*cell, 0.5).supported
    at_the_end = calibration().at_rate(*cell, curve.measured_to).distance
    assert calibration().at_distance(*cell, at_the_end + 0.001).supported
    assert not calibration().at_distance(*cell, at_the_end - 0.01).supported
    # At least ten impostors lie below the lowest supported rate.
    assert curve.pairs * curve.measured_to >= 10


def test_rate_of_the_default_settings_is_measured():
    config = conf.get()
    for shots, frames in (
        (config.ENROLMENT_SHOTS, config.LOGIN_FRAMES),
        (config.ENROLMENT_SHOTS, 1),
    ):
        limit = calibration().at_rate(shots, frames, config.MAX_FALSE_MATCH_RATE)
        assert limit.supported
        assert limit.fnmr < 0.05


def test_no_distance_stands_for_more_than_everybody():
    assert calibration().at_distance(1, 1, 5).rate == 1
    assert calibration().at_distance(1, 1, 5).fnmr == 0
    assert 0 < calibration().at_distance(1, 1, -0.5).rate < 1e-12
    assert calibration().at_distance(1, 1, -0.5).fnmr == 1


def test_own_calibration_takes_the_place_of_the_one_that_ships(settings, own):
    shipped = calibration()
    mine = own((1, 1, [(0.1, 0.5, 0.0), (0.01, 0.3, 0.2)]))
    assert mine.at_rate(1, 1, 0.01) == (0.3, 0.01, pytest.approx(0.2), True, 0.01, 1000)
    assert mine.at_rate(1, 1, 10**-1.5).distance == pytest.approx(0.4)
    assert mine.at_rate(1, 1, 0.001) == (
        pytest.approx(0.1),
        0.001,
        pytest.approx(0.4),
        False,
        0.01,
        1000,
    )
    assert policy.limit(3, 3, 0.01).distance == pytest.approx(0.3)
    settings.FACEAUTH = {}
    assert calibration() is shipped
    assert policy.limit(3, 3, 0.01).distance != pytest.approx(0.3)


def test_stricter_neighbour_is_found_for_each_rate(own):
    mine = own(
        (1, 1, [(0.1, 0.5, 0.0), (0.01, 0.2, 0.3)]), (3, 1, [(0.1, 0.4, 0.0), (0.01, 0.3, 0.1)])
    )
    assert mine.at_rate(2, 1, 0.1).distance == pytest.approx(0.4)
    assert mine.at_rate(2, 1, 0.01).distance == pytest.approx(0.2)
    # The higher of both rates holds.
    assert mine.at_distance(2, 1, 0.3).rate == pytest.approx(10 ** (-1 - 2 / 3))
    assert mine.at_distance(2, 1, 0.4).rate == pytest.approx(0.1)
