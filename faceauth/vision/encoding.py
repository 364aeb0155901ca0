"""Encode faces: vectors whose Euclidean distance is small for one person, large for two."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from . import alignment
from .alignment import Image, Landmarks
from .dlib_networks import ENCODER_FILE, ENCODING_SIZE, encoder_graph, model_path, read_layers
from .onnx_session import open_session

Encoding = NDArray[np.float32]


class Encoder(Protocol):
    """A network that encodes faces, and the alignment that it expects. Thread-safe once loaded.

    Attributes:
        name: Stored with each template. Templates of encoders with different names are never
            compared.
        size: The number of values in an encoding.
    """

    name: str
    size: int

    def load(self, *, threads: int, providers: Sequence[str]) -> None:
        """Load the network; nothing before this call may need it.

        Args:
            threads: The number of threads for one inference.
            providers: ONNX Runtime's execution providers, the preferred one first.

        Raises:
            ModelError: The network cannot be loaded.
        """

    def chip(self, image: Image, landmarks: Landmarks) -> Image:
        """Return the aligned face that the network sees, RGB, uint8 (height, width, 3).

        Args:
            image: RGB, uint8 (height, width, 3).
            landmarks: Float64 (5, 2), (x, y) in pixels: the corners of the eye on the right of the
                picture (outer, inner), those of the eye on the left (outer, inner), and the point
                under the nose.
        """

    def views(self, image: Image, landmarks: Landmarks) -> list[Image]:
        """Return the chip, then others that are cropped or rotated a little differently."""

    def encode(self, chips: Sequence[Image]) -> Encoding:
        """Encode chips to float32 (n, size), one row per chip."""


class DlibEncoder:
    """dlib's face encoder, the one that face_recognition uses. An `Encoder`."""

    name = "dlib"
    size = ENCODING_SIZE

    def __init__(self) -> None:
        self._session: Any = None

    def load(self, *, threads: int, providers: Sequence[str]) -> None:
        """Load the network, as `Encoder.load`."""
        model = encoder_graph(read_layers(model_path(ENCODER_FILE)))
        self._session = open_session(model, threads=threads, providers=providers)

    def chip(self, image: Image, landmarks: Landmarks) -> Image:
        """Return the aligned face, RGB, uint8 (150, 150, 3)."""
        return alignment.chip(image, landmarks)

    def views(self, image: Image, landmarks: Landmarks) -> list[Image]:
        """Return the chips of `alignment.VIEWS`, RGB, uint8 (150, 150, 3) each."""
        return [alignment.chip(image, landmarks, *view) for view in alignment.VIEWS]

    def encode(self, chips: Sequence[Image]) -> Encoding:
        """Encode chips, uint8 (150, 150, 3) each, to float32 (n, 128), one row per chip."""
        (encodings,) = self._session.run(None, {"chips": np.array(chips)})
        return encodings


def encode_with_mirror(encoder: Encoder, chips: Sequence[Image]) -> Encoding:
    """Return the mean encoding of chips of one face and of their mirror images, float32 (size,).

    The mean is nearer to the person's other pictures than any single encoding.
    """
    mirrored = [chip[:, ::-1] for chip in chips]
    return encoder.encode([*chips, *mirrored]).mean(axis=0)


def template(encodings: Encoding) -> Encoding:
    """Return the mean of encodings, float32 (n, size), scaled to length 1: float32 (size,)."""
    total = encodings.sum(axis=0)
    return (total / np.sqrt(total @ total)).astype(np.float32)
