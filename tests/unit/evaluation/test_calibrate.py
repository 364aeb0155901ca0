from __future__ import annotations

import json
from itertools import pairwise

import numpy as np
import pytest
from django.test import override_settings

from faceauth import checks
from faceauth.enrolment import SAME_PERSON_WITHIN
from faceauth.evaluation import accuracy_report, calibrate
from faceauth.evaluation.dataset import Encoded
from faceauth.recognition import calibration, matching
from tests.support.encoders import network
from tests.unit.evaluation.conftest import crowd


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("calibration")
    calibrate.write([*crowd(150, 1), *crowd(150, 10, seed=1)], folder)
    return folder


def test_what_is_written_is_what_the_product_reads(written):
    with override_settings(FACEAUTH={"CALIBRATION": str(written)}):
        own = matching.cohort(), calibration.calibration().at_rate(3, 1, 1e-3)
    shipped = matching.cohort(), calibration.calibration().at_rate(3, 1, 1e-3)
    assert own[0].shape == (105, 128)  # of 300 people 35 %
    assert own[1].supported
    assert own[1].distance != shipped[1].distance


def test_rates_hold_for_other_people_of_the_kind(written):
    others = crowd(150, 6, seed=1)
    with override_settings(FACEAUTH={"CALIBRATION": str(written), "MAX_FALSE_MATCH_RATE": 1e-2}):
        for cell in accuracy_report.check_rates(others):
            assert cell["policy"]["fmr"]["value"] < 2e-2


def test_table_states_the_lowest_measured_rate(written):
    cells = json.loads((written / "calibration.json").read_text())["cells"]
    for cell in cells:
        assert cell["measured_to"] * cell["pairs"] >= calibrate.EVENTS
        rates, distances, fnmrs = zip(*cell["points"], strict=True)
        assert list(rates) == sorted(rates, reverse=True)
        assert list(distances) == sorted(distances, reverse=True)
        assert list(fnmrs) == sorted(fnmrs)


def test_cohort_contains_no_person(written):
    cohort = np.load(written / "cohort.npy")
    for person in crowd(150, 1):
        face = person[0].views / np.linalg.norm(person[0].views)
        assert np.linalg.norm(cohort - face, axis=1).min() > 0.05


@pytest.fixture
def squares(tmp_path):
    """Have the site use an encoder of 64 values and, if given, another calibration."""
    path = network(tmp_path / "squares.onnx")

    def use(folder=None):
        encoder = {"path": str(path), "name": "squares"}
        return override_settings(FACEAUTH={"ENCODER": encoder, "CALIBRATION": folder})

    return use


def wide(people, photos, seed=0):
    """Return made-up people and photos at three times the distances of `crowd`."""
    random = np.random.default_rng(seed)
    persons = 0.1 + random.normal(0, 0.15, (people, 64))
    return [
        [
            Encoded(*np.float32([shot] * 3))
            for shot in person + random.normal(0, 0.085, (photos, 64))
        ]
        for person in persons
    ]


def test_calibration_of_another_encoder_says_whose_it_is_and_holds_for_it(squares, tmp_path):
    with squares():
        calibrate.write([*wide(150, 1), *wide(150, 10, seed=1)], tmp_path)
    with squares(str(tmp_path)):
        assert calibration.calibration().encoder == "squares"
        assert matching.cohort().shape == (105, 64)
        for cell in accuracy_report.check_rates(wide(150, 6, seed=2)):
            assert cell["policy"]["fmr"]["value"] < 2e-4
    with override_settings(FACEAUTH={"CALIBRATION": str(tmp_path)}):
        (error,) = checks.check_settings(None)
        assert error.id == "faceauth.E014"


def test_scale_is_how_far_apart_photos_of_one_person_lie(squares):
    people = wide(150, 6)
    with squares():
        scale = calibrate.scale(people)
    shots = np.stack([[photo.views for photo in each] for each in people])
    shots /= np.linalg.norm(shots, axis=2, keepdims=True)
    within = scale * SAME_PERSON_WITHIN
    same = np.linalg.norm(shots[:, 0] - shots[:, 1], axis=1) < within
    others = np.linalg.norm(shots[1:, 0] - shots[:-1, 0], axis=1) < within
    assert same.mean() > 0.92 and others.mean() < 0.03
    assert scale > 1.2


def test_scale_of_an_encoder_that_separates_nobody_accepts_no_others(squares):
    nobody = wide(1, 300)[0]
    with squares():
        scale = calibrate.scale([nobody[index : index + 3] for index in range(0, 300, 3)])
    distances = [
        np.linalg.norm(one.views - other.views) / np.linalg.norm(one.views)
        for one, other in pairwise(nobody)
    ]
    assert np.mean(np.array(distances) < scale * SAME_PERSON_WITHIN) < 0.1


def test_constants_of_dlib_are_those_of_its_own_encodings(written):
    assert calibrate.scale(crowd(60, 6)) == 1
    found = json.loads((written / "calibration.json").read_text())
    assert (found["encoder"], found["scale"]) == ("dlib", 1)


def test_face_recognitions_rates_are_left_out_for_another_encoder(squares, tmp_path):
    people = wide(60, 6)
    with squares():
        calibrate.write([*wide(150, 1), *wide(150, 10, seed=1)], tmp_path)
    with squares(str(tmp_path)):
        results = accuracy_report.rates(people, accuracy_report.scores(people))
        results["photos"] = {"photos": 360, "people": 60, "faces": 360}
        text = accuracy_report.text(results)
    assert "face_recognition" not in text
    assert "10 views, as enrolled" in text
    assert "Without a username, one among many" in text


def test_too_few_people_are_an_error(tmp_path):
    with pytest.raises(ValueError, match="hundreds"):
        calibrate.write(crowd(8, 3), tmp_path)
    assert not list(tmp_path.iterdir())
