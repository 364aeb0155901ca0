"""MediaPipe's face mesh, read from its TensorFlow Lite file and rebuilt as an ONNX graph.

ONNX Runtime runs it in half the time of OpenCV, and one session serves all threads.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from . import tflite_reader as tflite
from .dlib_networks import ModelError
from .onnx_writer import FLOAT, UINT8, Graph
from .tflite_reader import Network, Operator

FILE = Path(__file__).parent / "data" / "face_landmark.tflite"
SIDE = 192  # pixels of the network's input
POINTS = 468

_SCALE = 1 / 255


def mesh_graph(network: Network) -> bytes:
    """Return the face mesh as an ONNX model.

    It maps an RGB crop, uint8 (1, 192, 192, 3), to the points, float32 (1, 1404, 1, 1), in pixels
    of the crop, and to their presence, float32 (1, 1, 1, 1).

    Args:
        network: From `tflite_reader.read_network`.

    Raises:
        ModelError: It is another network.
    """
    tensors = network.tensors
    shapes = [tensors[each].shape for each in (*network.inputs, *network.outputs)]
    if shapes != [(1, SIDE, SIDE, 3), (1, 1, 1, 3 * POINTS), (1, 1, 1, 1)]:
        raise ModelError("The file is not MediaPipe's face mesh.")
    return _Builder(network).build()


class _Builder:
    def __init__(self, network: Network) -> None:
        self._network = network
        self._graph = Graph("mesh")
        self._constants = {
            number: each.values
            for number, each in enumerate(network.tensors)
            if each.values is not None
        }
        self._values: dict[int, str] = {}

    def build(self) -> bytes:
        graph = self._graph
        (source,) = self._network.inputs
        pixels = graph.node("Cast", graph.input("face", [1, SIDE, SIDE, 3], UINT8), to=FLOAT)
        self._values[source] = graph.node("Transpose", pixels, perm=[0, 3, 1, 2])
        for each in self._network.operators:
            if each.kind == tflite.DEQUANTIZE:
                self._constants[each.output] = self._constants[each.inputs[0]]
            else:
                self._values[each.output] = self._node(each)
        for number in self._network.outputs:
            channels = self._network.tensors[number].shape[3]
            graph.output(self._values[number], [1, channels, 1, 1])
        return graph.serialise()

    def _node(self, operator: Operator) -> str:
        graph = self._graph
        x = self._values[operator.inputs[0]]
        match operator.kind:
            case tflite.CONV | tflite.DEPTHWISE_CONV:
                return self._convolution(x, operator)
            case tflite.PRELU:
                return self._prelu(x, self._floats(operator.inputs[1]).ravel())
            case tflite.ADD:
                return graph.node("Add", x, self._values[operator.inputs[1]])
            case tflite.MAX_POOL:
                return graph.node("MaxPool", x, kernel_shape=[2, 2], strides=[2, 2])
            case tflite.PAD:
                more = self._constants[operator.inputs[1]][3, 1]  # channels at the end
                pads = np.array([0, 0, 0, 0, 0, more, 0, 0], np.int64)
                return graph.node("Pad", x, graph.constant(pads))
        raise ModelError("The file is not MediaPipe's face mesh.")

    def _convolution(self, x: str, operator: Operator) -> str:
        source, weights, bias = operator.inputs
        kernel = self._floats(weights)
        apart = operator.kind == tflite.DEPTHWISE_CONV
        # To (out, in, height, width); a channel of its own for each one if they are kept apart.
        kernel = kernel.transpose((3, 0, 1, 2) if apart else (0, 3, 1, 2))
        if source in self._network.inputs:
            kernel = kernel * np.float32(_SCALE)
        rows = self._network.tensors[source].shape[1]
        over = self._network.tensors[operator.output].shape[1] - 1
        pad = max(0, over * operator.stride + kernel.shape[2] - rows) if operator.padded else 0
        before, after = [pad // 2] * 2, [pad - pad // 2] * 2
        return self._graph.node(
            "Conv",
            x,
            self._graph.constant(kernel),
            self._graph.constant(self._floats(bias)),
            kernel_shape=kernel.shape[2:],
            strides=[operator.stride] * 2,
            pads=[*before, *after],
            group=len(kernel) if apart else 1,
        )

    def _prelu(self, x: str, slopes: NDArray[np.float32]) -> str:
        """Add x where it is positive, and x times the channel's slope where it is negative.

        Written as convolutions of 1x1, because ONNX Runtime keeps its fast layout of channels only
        through these: its own PRelu takes two thirds longer for the whole network.
        """
        both, positive = self._times(x, slopes), self._graph.node("Relu", x)
        return self._graph.node("Add", both, self._times(positive, 1 - slopes))

    def _times(self, x: str, factors: NDArray[np.float32]) -> str:
        kernel = self._graph.constant(factors.reshape(-1, 1, 1, 1))
        return self._graph.node("Conv", x, kernel, kernel_shape=[1, 1], group=len(factors))

    def _floats(self, number: int) -> NDArray[np.float32]:
        return self._constants[number].astype(np.float32)
