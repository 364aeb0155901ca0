"""Read TensorFlow Lite models: the few parts of the format that one network needs.

The format is FlatBuffers (field numbers from TensorFlow's schema.fbs): a table begins with the
distance to its list of fields, and a field that refers to something else holds the distance to it.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .dlib_networks import ModelError

Array = NDArray[np.float32] | NDArray[np.int32]

_MAGIC = b"TFL3"
_DTYPES = {0: "<f4", 1: "<f2", 2: "<i4"}

# TensorFlow's numbers of the operators.
ADD, CONV, DEPTHWISE_CONV, DEQUANTIZE, MAX_POOL, PAD, PRELU = 0, 3, 4, 6, 17, 34, 54

# The fields of each operator's options: whether it pads, and the stride across and down.
_STRIDED = (CONV, DEPTHWISE_CONV, MAX_POOL)
_PADS, _STRIDE_ACROSS = 0, 1
_SAME = 0


class Tensor(NamedTuple):
    """A tensor of the network.

    Attributes:
        shape: (n, height, width, channels) of values that are computed.
        values: Of a constant; None for others.
    """

    shape: tuple[int, ...]
    values: Array | None


class Operator(NamedTuple):
    """An operator of the network.

    Attributes:
        kind: One of the numbers above.
        inputs: The numbers of its tensors.
        output: The number of its tensor.
        stride: From one window to the next.
        padded: True if zeros are added at the edges, so that every pixel is a window's centre.
    """

    kind: int
    inputs: tuple[int, ...]
    output: int
    stride: int
    padded: bool


class Network(NamedTuple):
    """A network.

    Attributes:
        tensors: By their numbers.
        operators: In the order in which they run.
        inputs: The numbers of its tensors.
        outputs: The numbers of its tensors.
    """

    tensors: list[Tensor]
    operators: list[Operator]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]


def read_network(path: Path) -> Network:
    """Read the network in a file.

    Raises:
        ModelError: The file is missing, damaged, or not a model of TensorFlow Lite.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ModelError(f"{path} cannot be read: {error.strerror}.") from error
    if data[4:8] != _MAGIC:
        raise ModelError(f"{path} is not a model of TensorFlow Lite.")
    try:
        return _network(data)
    except (IndexError, KeyError, ValueError, struct.error) as error:
        raise ModelError(f"{path} is damaged or truncated.") from error


class _Table(NamedTuple):
    """A table at a position in the data."""

    data: bytes
    at: int

    def field(self, number: int) -> int | None:
        """Return the position of a field, or None if it has its default value."""
        fields = self.at - self._number("<i", self.at)
        place = fields + 4 + 2 * number
        if place >= fields + self._number("<H", fields):
            return None
        distance = self._number("<H", place)
        return self.at + distance if distance else None

    def number(self, number: int, kind: str, default: int = 0) -> int:
        at = self.field(number)
        return default if at is None else self._number(kind, at)

    def numbers(self, number: int) -> tuple[int, ...]:
        start, count = self._vector(number)
        return struct.unpack_from(f"<{count}i", self.data, start)

    def bytes(self, number: int) -> bytes:
        start, count = self._vector(number)
        return self.data[start : start + count]

    def table(self, number: int) -> _Table | None:
        at = self.field(number)
        return None if at is None else self._referred(at)

    def tables(self, number: int) -> list[_Table]:
        start, count = self._vector(number)
        return [self._referred(start + 4 * index) for index in range(count)]

    def _vector(self, number: int) -> tuple[int, int]:
        """Return where the elements of a vector begin, and how many there are."""
        at = self.field(number)
        if at is None:
            return 0, 0
        at += self._number("<I", at)
        return at + 4, self._number("<I", at)

    def _referred(self, at: int) -> _Table:
        return _Table(self.data, at + self._number("<I", at))

    def _number(self, kind: str, at: int) -> int:
        if at < 0:
            raise ValueError("A position before the beginning.")
        (value,) = struct.unpack_from(kind, self.data, at)
        return int(value)


def _network(data: bytes) -> Network:
    model = _Table(data, struct.unpack_from("<I", data)[0])
    # Small numbers of operators are in the first field, larger ones in the fourth.
    kinds = [max(each.number(0, "<b"), each.number(3, "<i")) for each in model.tables(1)]
    (graph,) = model.tables(2)
    buffers = [each.bytes(0) for each in model.tables(4)]
    return Network(
        tensors=[_tensor(each, buffers) for each in graph.tables(0)],
        operators=[_operator(each, kinds) for each in graph.tables(3)],
        inputs=graph.numbers(1),
        outputs=graph.numbers(2),
    )


def _tensor(table: _Table, buffers: list[bytes]) -> Tensor:
    shape = table.numbers(0)
    raw = buffers[table.number(2, "<I")]
    if not raw:
        return Tensor(shape, None)
    return Tensor(shape, np.frombuffer(raw, _DTYPES[table.number(1, "<b")]).reshape(shape))


def _operator(table: _Table, kinds: list[int]) -> Operator:
    kind = kinds[table.number(0, "<I")]
    (output,) = table.numbers(2)
    options = table.table(4) if kind in _STRIDED else None
    return Operator(
        kind=kind,
        inputs=table.numbers(1),
        output=output,
        stride=options.number(_STRIDE_ACROSS, "<i", 1) if options else 1,
        padded=options is not None and options.number(_PADS, "<b") == _SAME,
    )
