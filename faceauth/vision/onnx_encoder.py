"""Any face-embedding network, from an ONNX file of the owner's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import alignment_templates, onnx_options
from .alignment import Image, Landmarks
from .dlib_networks import ModelError
from .encoding import Encoding
from .onnx_session import open_session


class ONNXEncoder:
    """An `Encoder` out of a file. What the file itself says need not be given.

    path: the file.
    name: what templates carry: another name makes all that were enrolled outdated. By default the
        file's own, and a number made of its content and of the options below: it changes with
        them. With a name that you give, it is you who changes it whenever what the network
        computes changes.
    input: how many pixels wide and tall the chips are that it takes.
    channels: in which order it takes the colours.
    layout: "NCHW" where it takes them one after another, as PyTorch and MXNet have it, "NHWC" pixel
        by pixel, as TensorFlow has it.
    normalise: None takes pixels as they are, 0 to 255, "standardise" each chip by its own mean and
        standard deviation, {"mean": ..., "std": ...} all by the same: numbers of pixels 0 to 255,
        or three of them in the order of `channels`.
    align: where the face lies in the chip: as "arcface" has it (so have SFace, AdaFace and others),
        as "dlib" has it (closest to the loose crops of FaceNet), or five [x, y] in pixels of the
        chip: the eyes on the picture's left and right, the tip of the nose, the mouth's corners.
        See `patterns` for what is made of them.
    size: how many numbers an encoding has.

    docs/encoders.md says which are those of well-known networks.

    Raises:
        ModelError: the file is no network that takes pictures of faces and gives encodings.
        ValueError: an option is wrong, or contradicts the file; the message names it.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        name: str | None = None,
        input: int | None = None,
        channels: str = "RGB",
        layout: str | None = None,
        normalise: str | Mapping[str, Any] | None = None,
        align: str | Sequence[Sequence[float]] = "arcface",
        size: int | None = None,
    ) -> None:
        asked = onnx_options.read(
            path,
            name=name,
            input=input,
            channels=channels,
            layout=layout,
            normalise=normalise,
            align=align,
            size=size,
        )
        self.name, self.size = asked.name, asked.size
        self._asked = asked
        self._patterns = alignment_templates.views(asked.pattern)
        self._session: Any = None

    def load(self, *, threads: int, providers: Sequence[str]) -> None:
        path, side = self._asked.path, self._asked.side
        self._session = open_session(path, threads=threads, providers=providers)
        grey = np.full((side, side, 3), 127, np.uint8)
        try:
            tried = self.encode([grey, grey])
        # ONNX Runtime's own errors have no base class in common.
        except Exception as error:
            raise ModelError(f"{path} cannot encode a picture: {error}") from error
        if tried.shape != (2, self.size):
            raise ModelError(f"{path} gives {tried.size // 2} numbers, and not {self.size}.")

    def chip(self, image: Image, landmarks: Landmarks) -> Image:
        return alignment_templates.chips(image, landmarks, self._patterns[:1], self._asked.side)[0]

    def views(self, image: Image, landmarks: Landmarks) -> list[Image]:
        return alignment_templates.chips(image, landmarks, self._patterns, self._asked.side)

    def encode(self, chips: Sequence[Image]) -> Encoding:
        """Chips uint8 (input, input, 3) RGB to float32 (n, size), one row a chip."""
        asked = self._asked
        pixels = np.stack(chips)
        if asked.channels == "BGR":
            pixels = pixels[..., ::-1]
        given = _normalised(pixels, asked.normalise)
        if asked.layout == "NCHW":
            given = given.transpose(0, 3, 1, 2)
        given = np.ascontiguousarray(given, asked.type)
        # Some networks were written for one picture at a time.
        batches = np.split(given, len(given)) if asked.alone else [given]
        rows = [self._run(batch).reshape(len(batch), -1) for batch in batches]
        return np.concatenate(rows).astype(np.float32)

    def _run(self, batch: NDArray[Any]) -> NDArray[Any]:
        (rows,) = self._session.run([self._asked.output], {self._asked.input: batch})
        return np.asarray(rows)


def _normalised(pixels: NDArray[np.uint8], how: onnx_options.Normalisation) -> NDArray[Any]:
    if how is None:
        return pixels
    values = pixels.astype(np.float32)
    if isinstance(how, str):
        mean = values.mean(axis=(1, 2, 3), keepdims=True)
        std = values.std(axis=(1, 2, 3), keepdims=True)
        # A chip may be of one colour. FaceNet was trained with this bound.
        return (values - mean) / np.maximum(std, 1 / np.sqrt(values[0].size))
    return (values - how.mean) / how.std
