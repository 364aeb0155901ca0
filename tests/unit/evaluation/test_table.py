from __future__ import annotations

import json

import numpy as np
import pytest
from django.test import override_settings

from faceauth import calibration, matching
from faceauth.evaluation import report, table
from tests.unit.evaluation.conftest import crowd


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("calibration")
    table.write([*crowd(150, 1), *crowd(150, 10, seed=1)], folder)
    return folder


def test_what_is_written_is_what_the_product_reads(written):
    with override_settings(FACEAUTH={"CALIBRATION": str(written)}):
        own = matching.cohort(), calibration.calibration().limit(3, 1, 1e-3)
    shipped = matching.cohort(), calibration.calibration().limit(3, 1, 1e-3)
    assert own[0].shape == (105, 128)  # of 300 people 35 %
    assert own[1].supported
    assert own[1].distance != shipped[1].distance


def test_rates_hold_for_other_people_of_the_kind(written):
    others = crowd(150, 6, seed=1)
    with override_settings(FACEAUTH={"CALIBRATION": str(written), "MAX_FALSE_MATCH_RATE": 1e-2}):
        for cell in report.calibrated(others):
            assert cell["policy"]["fmr"]["value"] < 2e-2


def test_says_how_far_it_was_measured(written):
    cells = json.loads((written / "calibration.json").read_text())["cells"]
    for cell in cells:
        assert cell["measured_to"] * cell["pairs"] >= table.EVENTS
        rates, distances, fnmrs = zip(*cell["points"], strict=True)
        assert list(rates) == sorted(rates, reverse=True)
        assert list(distances) == sorted(distances, reverse=True)
        assert list(fnmrs) == sorted(fnmrs)


def test_cohort_is_nobody(written):
    cohort = np.load(written / "cohort.npy")
    for person in crowd(150, 1):
        face = person[0].views / np.linalg.norm(person[0].views)
        assert np.linalg.norm(cohort - face, axis=1).min() > 0.05


def test_too_few_people_are_said(tmp_path):
    with pytest.raises(ValueError, match="hundreds"):
        table.write(crowd(8, 3), tmp_path)
    assert not list(tmp_path.iterdir())
