"""Write ONNX models: the few parts of the format that two networks need.

The format is protocol buffers (field numbers from onnx/onnx.proto3). Writing them takes one screen
of code; the package ``onnx`` would add 9 MB to the installation and 0.2 s of CPU time to every
worker.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

IR_VERSION = 8
OPSET = 17
FLOAT, UINT8, INT64 = 1, 2, 7
_ATTRIBUTE_FLOAT, _ATTRIBUTE_INT, _ATTRIBUTE_INTS = 1, 2, 7

Dimension = int | str


def _varint(value: int) -> bytes:
    """Encode a base-128 integer, lowest bits first; a negative one as its 64-bit complement."""
    value &= (1 << 64) - 1
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _integer(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _header(field: int, size: int) -> bytes:
    """Encode the header of a field of `size` bytes: text, numbers or nested fields."""
    return _varint(field << 3 | 2) + _varint(size)


def _block(field: int, data: bytes | str) -> bytes:
    raw = data.encode() if isinstance(data, str) else data
    return _header(field, len(raw)) + raw


def _attribute(name: str, value: int | float | Sequence[int]) -> bytes:
    if isinstance(value, float):
        number = np.float32(value).astype("<f4").tobytes()
        body, kind = _varint(2 << 3 | 5) + number, _ATTRIBUTE_FLOAT
    elif isinstance(value, int):
        body, kind = _integer(3, value), _ATTRIBUTE_INT
    else:
        body, kind = b"".join(_integer(8, each) for each in value), _ATTRIBUTE_INTS
    return _block(1, name) + body + _integer(20, kind)


def _value_info(name: str, shape: Iterable[Dimension], kind: int) -> bytes:
    dimensions = b"".join(
        _block(1, _integer(1, size) if isinstance(size, int) else _block(2, size)) for size in shape
    )
    tensor = _integer(1, kind) + _block(2, dimensions)
    return _block(1, name) + _block(2, _block(1, tensor))


class Graph:
    """Build a graph of float32 tensors, in which values are known by their names."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._parts: list[bytes | memoryview] = []
        self._count = 0

    def input(self, name: str, shape: Iterable[Dimension], kind: int = FLOAT) -> str:
        """Declare an input and return its name. A dimension that varies is given as a name."""
        self._parts.append(_block(11, _value_info(name, shape, kind)))
        return name

    def output(self, name: str, shape: Iterable[Dimension]) -> None:
        """Declare the value `name` to be an output."""
        self._parts.append(_block(12, _value_info(name, shape, FLOAT)))

    def constant(self, array: NDArray[np.float32] | NDArray[np.int64]) -> str:
        """Add a float32 or int64 array and return its name."""
        name = self._new_name("constant")
        kind, dtype = (INT64, "<i8") if array.dtype == np.int64 else (FLOAT, "<f4")
        dims = b"".join(_integer(1, size) for size in array.shape)
        # Networks are large, so the numbers are copied only once, with the whole model.
        raw = np.ascontiguousarray(array, dtype).data.cast("B")
        tensor = dims + _integer(2, kind) + _block(8, name) + _header(9, len(raw))
        self._parts += [_header(5, len(tensor) + len(raw)) + tensor, raw]
        return name

    def node(self, kind: str, *inputs: str, **attributes: int | float | Sequence[int]) -> str:
        """Add an operator with one output and return the name of the output."""
        name = self._new_name(kind)
        body = b"".join(_block(1, each) for each in inputs)
        body += _block(2, name) + _block(3, name) + _block(4, kind)
        body += b"".join(_block(5, _attribute(*item)) for item in attributes.items())
        self._parts.append(_block(1, body))
        return name

    def serialise(self) -> bytes:
        """Return the whole model, as ONNX Runtime loads it."""
        parts = [*self._parts, _block(2, self._name)]
        before = _integer(1, IR_VERSION) + _header(7, sum(map(len, parts)))
        opset = _block(8, _block(1, "") + _integer(2, OPSET))
        return b"".join([before, *parts, opset])

    def _new_name(self, kind: str) -> str:
        self._count += 1
        return f"{kind}_{self._count}"
