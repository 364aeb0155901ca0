"""Faces to encodings: the vectors whose Euclidean distance tells people apart."""

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
    """A network that encodes faces, and how it wants to see them. Thread-safe once it is loaded.

    name: what templates carry. Those of encoders with other names are never compared.
    size: how many numbers an encoding has.
    """

    name: str
    size: int

    def load(self, *, threads: int, providers: Sequence[str]) -> None:
        """Load the network, of which nothing was needed so far; see `sessions.open_session`.

        Raises:
            ModelError: it cannot be loaded.
        """

    def chip(self, image: Image, landmarks: Landmarks) -> Image:
        """The face as the network is shown it, uint8 (height, width, 3) RGB. For the landmarks see
        `Aligner.landmarks`.
        """

    def views(self, image: Image, landmarks: Landmarks) -> list[Image]:
        """The chip first, then others that are cropped or turned a little differently."""

    def encode(self, chips: Sequence[Image]) -> Encoding:
        """Chips to float32 (n, size), one row a chip."""


class DlibEncoder:
    """dlib's face encoder, which face_recognition has: an `Encoder`."""

    name = "dlib"
    size = ENCODING_SIZE

    def __init__(self) -> None:
        self._session: Any = None

    def load(self, *, threads: int, providers: Sequence[str]) -> None:
        model = encoder_graph(read_layers(model_path(ENCODER_FILE)))
        self._session = open_session(model, threads=threads, providers=providers)

    def chip(self, image: Image, landmarks: Landmarks) -> Image:
        return alignment.chip(image, landmarks)

    def views(self, image: Image, landmarks: Landmarks) -> list[Image]:
        return [alignment.chip(image, landmarks, *view) for view in alignment.VIEWS]

    def encode(self, chips: Sequence[Image]) -> Encoding:
        """Chips uint8 (150, 150, 3) to float32 (n, 128), one row a chip."""
        (encodings,) = self._session.run(None, {"chips": np.stack(chips)})
        return encodings


def encode_with_mirror(encoder: Encoder, chips: Sequence[Image]) -> Encoding:
    """The mean of the encodings of chips of one face and of their mirror images, float32 (size,):
    closer to the person, as it is to other pictures of them, than any alone.
    """
    mirrored = [chip[:, ::-1] for chip in chips]
    return encoder.encode([*chips, *mirrored]).mean(axis=0)


def template(encodings: Encoding) -> Encoding:
    """What is compared: the mean of float32 (n, size) encodings, scaled to length 1, (size,)."""
    total = encodings.sum(axis=0)
    return (total / np.sqrt(total @ total)).astype(np.float32)
