from __future__ import annotations

import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from django.core.exceptions import ImproperlyConfigured

from faceauth import checks, enrolment, errors
from faceauth.recognition import encoders, matching, policy
from faceauth.recognition.calibration import calibration, data_file
from faceauth.vision.encoding import DlibEncoder
from tests.support import encoders as support

DOCS = Path(__file__).parents[2] / "docs" / "encoders.md"


class Mine(DlibEncoder):
    """A custom encoder that has the attributes and does nothing."""

    name = "mine"


class Nameless:
    """No encoder."""


class Failing:
    def __init__(self):
        raise RuntimeError("no such chip")


@pytest.fixture
def file(tmp_path):
    return support.network(tmp_path / "squares.onnx")


@pytest.fixture
def use(settings):
    """Set `ENCODER`, and a calibration if one is given."""

    def set_(encoder, folder=None):
        settings.FACEAUTH = {"ENCODER": encoder, "CALIBRATION": folder}

    return set_


def found():
    return [(each.id, each.msg) for each in checks.check_settings(None)]


def test_dlibs_is_the_default_and_nothing_is_loaded_by_asking():
    assert encoders.encoder().name == "dlib"
    assert encoders.encoder().size == 128
    assert encoders.encoder() is encoders.encoder()
    assert encoders.create(None)._session is None


def test_encoder_of_the_settings_is_made_once(use, file):
    use({"path": str(file), "normalise": "standardise"})
    encoder = encoders.encoder()
    assert encoder.name.startswith("squares-")
    assert encoder is encoders.encoder()
    use({"path": str(file), "channels": "BGR"})
    assert encoders.encoder().name != encoder.name
    use(None)
    assert encoders.encoder().name == "dlib"


def test_class_of_ones_own(use):
    use(f"{__name__}.Mine")
    assert encoders.encoder().name == "mine"


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        ({}, "FACEAUTH['ENCODER']: 'path' is missing: the path of the network's file."),
        ({"pth": "x"}, "FACEAUTH['ENCODER']: there is no key 'pth'. Did you mean 'path'?"),
        ({"chanels": "RGB"}, "there is no key 'chanels'. Did you mean 'channels'?"),
        ({"normalize": "standardise"}, "there is no key 'normalize'. Did you mean 'normalise'?"),
        ({"zzz": 1}, "Known keys: path, name, input, channels, layout, normalise, align, size."),
        ({"path": "/nowhere/x.onnx"}, "/nowhere/x.onnx cannot be read: No such file or directory."),
        ({"path": __file__}, f"{__file__} is not an ONNX model, or is damaged."),
        ("nowhere.Nothing", "'nowhere.Nothing' cannot be created: No module named 'nowhere'"),
        (f"{__name__}.Failing", "Failing' cannot be created: no such chip"),
        (f"{__name__}.Nameless", "is no encoder: it has no name, size, load, chip, views, encode."),
    ],
)
def test_setting_that_describes_no_encoder_is_an_error(use, wanted, message):
    use(wanted)
    with pytest.raises(ImproperlyConfigured) as caught:
        encoders.encoder()
    assert message in str(caught.value)
    assert found() == [("faceauth.E013", str(caught.value))]


@pytest.mark.parametrize("wanted", [3, ["facenet.onnx"], True])
def test_setting_of_another_type_is_an_error(use, wanted):
    use(wanted)
    ((code, message),) = found()
    assert code == "faceauth.E002"
    assert message.endswith("which is not a dict or text or None.")


def test_wrong_option_is_an_error_that_names_it(use, file):
    use({"path": file, "channels": "rgb"})
    ((code, message),) = found()
    assert code == "faceauth.E013"
    assert "'channels' is 'rgb', which is not 'RGB' or 'BGR'. Did you mean 'RGB'?" in message


def test_calibration_that_ships_is_dlibs_alone(use, file):
    use({"path": file, "name": "squares"})
    ((code, message),) = found()
    assert code == "faceauth.E014"
    assert "that ships with the app belongs to the encoder 'dlib'" in message
    assert "is 'squares'" in message
    with pytest.raises(ImproperlyConfigured, match="different encoders can't be compared"):
        policy.limit(5, 1, 1e-4)


def test_calibration_of_another_encoder_is_an_error_both_ways(use, file, tmp_path):
    folder = support.calibration(tmp_path / "own", "squares", size=64, limit=0.5)
    use({"path": file, "name": "squares"}, folder)
    assert found() == []
    assert calibration().encoder == "squares"
    use({"path": file, "name": "circles"}, folder)
    assert [code for code, _ in found()] == ["faceauth.E014"]
    use(None, folder)
    ((code, message),) = found()
    assert code == "faceauth.E014"
    assert f"{folder} belongs to the encoder 'squares'" in message


def test_calibration_from_before_there_were_other_encoders_is_dlibs(use, tmp_path):
    shutil.copytree(data_file(None, ""), tmp_path / "own")
    use(None, tmp_path / "own")
    assert found() == []
    assert (calibration().encoder, calibration().scale) == ("dlib", 1.0)


def test_cohort_of_another_size_is_an_error(use, file, tmp_path):
    folder = support.calibration(tmp_path / "own", "squares", size=128, limit=0.5)
    use({"path": file, "name": "squares"}, folder)
    ((code, message),) = found()
    assert code == "faceauth.E008"
    assert "does not consist of rows of 64 numbers" in message


def test_faces_of_another_size_are_not_compared(use, file, tmp_path):
    folder = support.calibration(tmp_path / "own", "squares", size=64, limit=0.5)
    use({"path": file, "name": "squares"}, folder)
    one, other = np.ones((2, 64), np.float32), np.ones((2, 128), np.float32)
    assert matching.distance(one, one) < matching.distance(one, -one)
    with pytest.raises(ValueError, match="shape|reshape"):
        matching.distance(one, other)
    with pytest.raises(ValueError, match="reshape"):
        matching.Templates.from_encodings([other])


@pytest.mark.parametrize("scale", [0.5, 1.0, 2.0])
def test_what_is_known_of_dlibs_distances_is_scaled(use, file, tmp_path, scale):
    folder = support.calibration(tmp_path / "own", "squares", size=64, limit=0.5, scale=scale)
    use({"path": file, "name": "squares"}, folder)

    def pair(apart):
        angle = 2 * np.arcsin(apart / 2)
        rows = np.zeros((2, 64), np.float32)
        rows[0, 0], rows[1, :2] = 1, (np.cos(angle), np.sin(angle))
        return rows

    enrolment.check_same_person(pair(0.99 * scale * enrolment.SAME_PERSON_WITHIN))
    with pytest.raises(errors.NotSamePerson):
        enrolment.check_same_person(pair(1.01 * scale * enrolment.SAME_PERSON_WITHIN))
    enrolment.check_no_copies(pair(1.1 * scale * enrolment.SAME_PICTURE_WITHIN))
    with pytest.raises(errors.SamePicture):
        enrolment.check_no_copies(pair(0.9 * scale * enrolment.SAME_PICTURE_WITHIN))
    assert matching.effective_frames(pair(0.9 * scale * matching.SAME_BURST_WITHIN)) == 1
    assert matching.effective_frames(pair(1.1 * scale * matching.SAME_BURST_WITHIN)) == 2
    for share, outcome in ((0.9, policy.Outcome.AMBIGUOUS), (1.1, policy.Outcome.ACCEPTED)):
        second = share * scale * policy.AMBIGUOUS_WITHIN
        matches = [policy.Match(1, 0.0, 3), policy.Match(2, second, 3)]
        assert policy.identify(matches, 1, 2).outcome is outcome


def test_every_option_is_documented_and_no_other():
    table = DOCS.read_text().split("| key |")[1].split("\n\n")[0]
    documented = re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)
    assert documented == [*encoders.OPTIONS]
