"""Chips to encodings: the vectors whose Euclidean distance tells people apart."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import onnxruntime
from numpy.typing import NDArray

Encoding = NDArray[np.float32]


class Encoder:
    """dlib's face encoder. Thread-safe."""

    def __init__(self, session: onnxruntime.InferenceSession) -> None:
        self._session = session

    def encode(self, chips: Sequence[NDArray[np.uint8]]) -> Encoding:
        """Chips uint8 (150, 150, 3) to float32 (n, 128), one row a chip."""
        (encodings,) = self._session.run(None, {"chips": np.stack(chips)})
        return encodings

    def encode_with_mirror(self, *chips: NDArray[np.uint8]) -> Encoding:
        """The mean of the encodings of chips of one face and of their mirror images, float32
        (128,): closer to the person, as it is to other pictures of them, than any alone.
        """
        mirrored = [chip[:, ::-1] for chip in chips]
        return self.encode([*chips, *mirrored]).mean(axis=0)


def template(encodings: Encoding) -> Encoding:
    """What is compared: the mean of float32 (n, 128) encodings, scaled to length 1, (128,)."""
    total = encodings.sum(axis=0)
    return (total / np.sqrt(total @ total)).astype(np.float32)
