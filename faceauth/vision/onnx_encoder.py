"""Encode faces with any face-embedding network, from an ONNX file."""

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
    """An `Encoder` from an ONNX file. Options that the file states can be left out.

    `docs/encoders.md` lists the options for well-known networks.

    Args:
        path: The file.
        name: Stored with each template; another name makes all existing templates outdated. By
            default the file's own name and a number that changes with the file's content and with
            the options below. If you set a name, change it yourself whenever the network's results
            change.
        input: Width and height of the network's input in pixels.
        channels: The order of the colours, "RGB" or "BGR".
        layout: "NCHW" if the network takes one colour after another, as in PyTorch and MXNet, or
            "NHWC" if it takes pixel by pixel, as in TensorFlow.
        normalise: None for pixels from 0 to 255, "standardise" for each chip by its own mean and
            standard deviation, or {"mean": ..., "std": ...} for all chips by the same: of pixels
            from 0 to 255, one number or three in the order of `channels`.
        align: The position of the face in the chip: "arcface" (also for SFace, AdaFace and others),
            "dlib" (nearest to the loose crops of FaceNet), or five [x, y] in pixels of the chip:
            the eyes on the left and right of the picture, the tip of the nose, the corners of the
            mouth. See `alignment_templates` for their use.
        size: The number of values in an encoding.

    Raises:
        ModelError: The file is not a network that maps pictures of faces to encodings.
        ValueError: An option is wrong or contradicts the file; the message names the option.
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
        options = onnx_options.resolve(
            path,
            name=name,
            input=input,
            channels=channels,
            layout=layout,
            normalise=normalise,
            align=align,
            size=size,
        )
        self.name, self.size = options.name, options.size
        self._options = options
        self._templates = alignment_templates.views(options.template)
        self._session: Any = None

    def load(self, *, threads: int, providers: Sequence[str]) -> None:
        """Load the network and try it on a grey picture.

        Args:
            threads: The number of threads for one inference.
            providers: ONNX Runtime's execution providers, the preferred one first.

        Raises:
            ModelError: The network cannot be loaded, or does not give `size` values.
        """
        path, side = self._options.path, self._options.side
        self._session = open_session(path, threads=threads, providers=providers)
        grey = np.full((side, side, 3), 127, np.uint8)
        try:
            encodings = self.encode([grey, grey])
        # ONNX Runtime's errors have no common base class.
        except Exception as error:
            raise ModelError(f"{path} cannot encode a picture: {error}") from error
        if encodings.shape != (2, self.size):
            raise ModelError(f"{path} gives {encodings.size // 2} values, not {self.size}.")

    def chip(self, image: Image, landmarks: Landmarks) -> Image:
        """Return the aligned face, RGB, uint8 (input, input, 3)."""
        return self._chips(image, landmarks, self._templates[:1])[0]

    def views(self, image: Image, landmarks: Landmarks) -> list[Image]:
        """Return the chips of `alignment.VIEWS`, RGB, uint8 (input, input, 3) each."""
        return self._chips(image, landmarks, self._templates)

    def encode(self, chips: Sequence[Image]) -> Encoding:
        """Encode chips, RGB, uint8 (input, input, 3) each, to float32 (n, size), a row per chip."""
        options = self._options
        pixels = np.stack(chips)
        if options.channels == "BGR":
            pixels = pixels[..., ::-1]
        values = _normalised(pixels, options.normalise)
        if options.layout == "NCHW":
            values = values.transpose(0, 3, 1, 2)
        values = np.ascontiguousarray(values, options.dtype)
        # Some networks were exported for one picture at a time.
        batches = np.split(values, len(values)) if options.single else [values]
        rows = [self._run(batch).reshape(len(batch), -1) for batch in batches]
        return np.concatenate(rows).astype(np.float32)

    def _chips(
        self, image: Image, landmarks: Landmarks, templates: Sequence[alignment_templates.Points]
    ) -> list[Image]:
        return alignment_templates.chips(image, landmarks, templates, self._options.side)

    def _run(self, batch: NDArray[Any]) -> NDArray[Any]:
        options = self._options
        (rows,) = self._session.run([options.output], {options.input: batch})
        return np.asarray(rows)


def _normalised(
    pixels: NDArray[np.uint8], normalisation: onnx_options.Normalisation
) -> NDArray[Any]:
    if normalisation is None:
        return pixels
    values = pixels.astype(np.float32)
    if isinstance(normalisation, str):
        mean = values.mean(axis=(1, 2, 3), keepdims=True)
        std = values.std(axis=(1, 2, 3), keepdims=True)
        # A chip may be of a single colour. FaceNet was trained with this bound.
        return (values - mean) / np.maximum(std, 1 / np.sqrt(values[0].size))
    return (values - normalisation.mean) / normalisation.std
