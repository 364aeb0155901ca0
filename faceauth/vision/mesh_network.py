"""The face mesh's network, read from its TensorFlow Lite file and rebuilt as an ONNX graph.

ONNX Runtime needs less than half of OpenCV's time for it, and all threads can share one network.
No file is written.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .dlib_networks import ModelError
from .onnx_writer import FLOAT, UINT8, Graph

Array = NDArray[Any]

# The operators of the network, by TensorFlow Lite's numbers.
_ADD, _CONVOLVE, _CONVOLVE_DEPTHWISE, _DEQUANTIZE = 0, 3, 4, 6
_MAX_POOL, _PAD, _PRELU = 17, 34, 54

_DTYPES = {0: "<f4", 1: "<f2", 2: "<i4"}
_SAME = 0  # the padding that keeps the size, but for the stride


class _Table:
    """A table of a FlatBuffer: fields that are found by their number, as the schema has them."""

    def __init__(self, data: bytes, at: int) -> None:
        self._data, self._at = data, at

    @classmethod
    def root(cls, data: bytes) -> _Table:
        """Return the table that the file begins with."""
        return cls(data, *struct.unpack_from("<I", data))

    def number(self, field: int, kind: str = "i", default: int = 0) -> int:
        """Return a number, whose kind is a letter of `struct`."""
        at = self._place(field)
        return struct.unpack_from(f"<{kind}", self._data, at)[0] if at else default

    def numbers(self, field: int, dtype: str = "<i4") -> Array:
        """Return a vector of numbers of one byte or of this type."""
        start, count = self._vector(field)
        return np.frombuffer(self._data, dtype, count, start) if start else np.empty(0, dtype)

    def table(self, field: int) -> _Table:
        """Return a table."""
        return self._follow(self._place(field))

    def tables(self, field: int) -> list[_Table]:
        """Return a vector of tables."""
        start, count = self._vector(field)
        return [self._follow(start + 4 * index) for index in range(count)]

    def _vector(self, field: int) -> tuple[int, int]:
        at = self._place(field)
        if not at:
            return 0, 0
        at += struct.unpack_from("<I", self._data, at)[0]
        return at + 4, struct.unpack_from("<I", self._data, at)[0]

    def _follow(self, at: int) -> _Table:
        return _Table(self._data, at + struct.unpack_from("<I", self._data, at)[0])

    def _place(self, field: int) -> int:
        """Return where a field is, or 0 if the table has none."""
        fields = self._at - struct.unpack_from("<i", self._data, self._at)[0]
        if 4 + 2 * field >= struct.unpack_from("<H", self._data, fields)[0]:
            return 0
        offset = struct.unpack_from("<H", self._data, fields + 4 + 2 * field)[0]
        return self._at + offset if offset else 0


def mesh_graph(path: Path) -> bytes:
    """Return the network as an ONNX model.

    It maps a face, RGB, uint8 (1, height, width, 3), to the outputs that the file has, in its
    order: for `face_mesh`, the points, float32 (1, 1404, 1, 1), and their presence (1, 1, 1, 1).

    Raises:
        ModelError: The file is missing, damaged, or of a network that needs other operators.
    """
    try:
        return _Network(_Table.root(path.read_bytes())).graph()
    except (OSError, ValueError, LookupError, struct.error) as error:
        raise ModelError(f"{path} is missing or damaged.") from error


class _Network:
    """A network while it is rebuilt. Values are known by the numbers of their tensors.

    TensorFlow Lite keeps channels last, ONNX first.
    """

    def __init__(self, model: _Table) -> None:
        # The number of an operator moved to another field when there were more than 127.
        self._kinds = [max(each.number(0, "b"), each.number(3)) for each in model.tables(1)]
        self._buffers = model.tables(4)
        self._network = model.tables(2)[0]
        self._tensors = self._network.tables(0)
        self._weights: dict[int, Array] = {}
        self._values: dict[int, str] = {}
        self._graph = Graph("mesh")

    def graph(self) -> bytes:
        """Return it as an ONNX model."""
        graph, (face,) = self._graph, self._network.numbers(1)
        pixels = graph.node("Cast", graph.input("face", self._shape(face), UINT8), to=FLOAT)
        scaled = graph.node("Mul", pixels, graph.constant(np.array([1 / 255], np.float32)))
        self._values[face] = graph.node("Transpose", scaled, perm=[0, 3, 1, 2])
        for operator in self._network.tables(3):
            self._add(operator)
        for output in self._network.numbers(2):
            count, height, width, channels = self._shape(output)
            graph.output(self._values[output], [count, channels, height, width])
        return graph.serialise()

    def _add(self, operator: _Table) -> None:
        kind = self._kinds[operator.number(0, "I")]
        inputs, (output,) = operator.numbers(1), operator.numbers(2)
        first, graph = inputs[0], self._graph
        if kind == _DEQUANTIZE:  # weights are kept in half precision
            self._weights[output] = self._constant(first).astype(np.float32)
        elif kind in (_CONVOLVE, _CONVOLVE_DEPTHWISE):
            self._values[output] = self._convolved(operator, kind == _CONVOLVE_DEPTHWISE)
        elif kind == _PRELU:
            self._values[output] = self._rectified(self._values[first], self._weights[inputs[1]])
        elif kind == _ADD:
            self._values[output] = graph.node("Add", *(self._values[each] for each in inputs))
        elif kind == _MAX_POOL:
            options = operator.table(4)
            self._values[output] = graph.node(
                "MaxPool",
                self._values[first],
                kernel_shape=[options.number(4), options.number(3)],
                strides=[options.number(2), options.number(1)],
            )
        elif kind == _PAD:
            pads = self._constant(inputs[1])[[0, 3, 1, 2]].T.ravel().astype(np.int64)
            self._values[output] = graph.node("Pad", self._values[first], graph.constant(pads))
        else:
            raise ValueError(f"The network has an operator {kind}.")

    def _convolved(self, operator: _Table, depthwise: bool) -> str:
        source, weights, bias = operator.numbers(1)
        kernels, options = self._weights[weights], operator.table(4)
        kernels = kernels.transpose(3, 0, 1, 2) if depthwise else kernels.transpose(0, 3, 1, 2)
        stride, before, after = options.number(1), 0, 0
        if options.number(0, "b") == _SAME:
            side, kernel = self._shape(source)[1], kernels.shape[2]
            both = max(0, (-(-side // stride) - 1) * stride + kernel - side)
            before, after = both // 2, both - both // 2
        return self._graph.node(
            "Conv",
            self._values[source],
            self._graph.constant(kernels),
            self._graph.constant(self._weights[bias]),
            strides=[stride, stride],
            pads=[before, before, after, after],
            group=len(kernels) if depthwise else 1,
        )

    def _rectified(self, x: str, slopes: Array) -> str:
        """Multiply what is below 0 by a slope for each channel: ``PRelu``.

        As two convolutions this takes a third of the time of ONNX Runtime's operator, which the
        values have to be laid out for differently.
        """
        graph, slopes = self._graph, slopes.reshape(-1, 1, 1, 1)

        def scaled(value: str, factors: Array) -> str:
            return graph.node("Conv", value, graph.constant(factors), group=len(factors))

        return graph.node("Add", scaled(x, slopes), scaled(graph.node("Relu", x), 1 - slopes))

    def _shape(self, tensor: int) -> list[int]:
        return [int(each) for each in self._tensors[tensor].numbers(0)]

    def _constant(self, tensor: int) -> Array:
        kind, buffer = self._tensors[tensor].number(1, "b"), self._tensors[tensor].number(2, "I")
        data = self._buffers[buffer].numbers(0, "u1")
        return data.view(_DTYPES[kind]).reshape(self._shape(tensor))
