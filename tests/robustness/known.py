"""Pictures that nobody has to look at, for tests of what comes after it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from faceauth import errors
from faceauth.capture import samples
from faceauth.vision import Face

Encodings = NDArray[np.float32]

FACE = Face(
    (20, 20, 180, 180), 1.0, np.array([[60, 80], [80, 80], [120, 80], [140, 80], [100, 120]])
)


class Known(samples.Sample):
    """A look at a picture that is an encoding itself."""

    def __init__(self, picture: samples.Picture, *, formats: tuple[str, ...] = ()) -> None:
        super().__init__(np.full((200, 200, 3), 128, np.uint8), [FACE])
        data = picture if isinstance(picture, bytes) else picture.read()
        self._encoding: Encodings = np.frombuffer(data, np.float32)

    def problem(self, *, moving: bool = False) -> errors.FaceError | None:
        return None

    def encoding(self, *, quickly: bool = False) -> Encodings:
        return self._encoding


def shots(name: str, time: int) -> Encodings:
    """The pictures of a person that are taken at a time, float32 (5, 128)."""
    face = np.random.default_rng([*name.encode()]).normal(0, 0.1, 128)
    change = np.random.default_rng([*name.encode(), time]).normal(0, 0.01, (5, 128))
    return (face + change).astype(np.float32)
