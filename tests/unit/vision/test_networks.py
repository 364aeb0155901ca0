from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

import faceauth.vision
from faceauth.vision import ModelError
from faceauth.vision.dlib_networks import (
    DETECTOR_FILE,
    ENCODER_FILE,
    altered_files,
    detector_graph,
    encoder_graph,
    model_path,
    read_layers,
)


def test_reads_all_layers_of_both_networks():
    encoder, detector = (
        read_layers(model_path(ENCODER_FILE)),
        read_layers(model_path(DETECTOR_FILE)),
    )
    assert len(encoder.convolutions) == 29
    assert encoder.matrix is not None
    assert encoder.matrix.shape == (256, 128)
    assert [each.weights.shape[0] for each in detector.convolutions] == [16, 32, 32, 45, 45, 45, 1]


def test_weights_are_found_without_importing_their_package():
    assert model_path(ENCODER_FILE).stat().st_size > 20_000_000
    assert "face_recognition_models" not in sys.modules


def test_weights_are_those_with_which_all_encodings_were_made():
    assert altered_files() == []


def test_missing_file_is_named():
    with pytest.raises(ModelError, match=r"no file nothing\.dat"):
        model_path("nothing.dat")


@pytest.mark.parametrize("size", [0, 1, 200, 20_000, 300_000])
def test_damaged_file_is_an_error_not_a_network(tmp_path: Path, size: int):
    path = tmp_path / "cut.dat"
    path.write_bytes(model_path(DETECTOR_FILE).read_bytes()[:size])
    with pytest.raises(ModelError):
        detector_graph(read_layers(path))


def test_networks_are_not_mistaken_for_each_other():
    with pytest.raises(ModelError):
        encoder_graph(read_layers(model_path(DETECTOR_FILE)))
    with pytest.raises(ModelError):
        detector_graph(read_layers(model_path(ENCODER_FILE)))


def test_vision_imports_no_django():
    for path in Path(faceauth.vision.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            assert not any(name.split(".")[0] == "django" for name in names), path.name
