"""What an ONNX file takes and gives, read without its weights.

Loading a network takes a second and its weights' memory; its inputs and outputs stand in a few
bytes of the file. Field numbers are those of onnx/onnx.proto3, as in `onnx_graph`.
"""

from __future__ import annotations

from collections.abc import Iterator
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import NamedTuple

from .dlib_networks import ModelError

# ONNX's numbers of the types that pixels may be given as.
TYPES = {1: "float32", 2: "uint8", 10: "float16", 11: "float64"}

_VARINT, _EIGHT_BYTES, _BLOCK, _FOUR_BYTES = 0, 1, 2, 5


class Tensor(NamedTuple):
    """An input or output.

    type: numpy's name, "" for those not in `TYPES`.
    shape: None where a dimension varies; None as a whole where the file does not say.
    """

    name: str
    type: str
    shape: tuple[int | None, ...] | None


class Signature(NamedTuple):
    """What a network takes and gives."""

    inputs: list[Tensor]
    outputs: list[Tensor]


def signature(path: Path) -> Signature:
    """What the network in a file takes and gives.

    Raises:
        ModelError: it is not there, or no ONNX model.
    """
    try:
        with path.open("rb") as file, mmap(file.fileno(), 0, access=ACCESS_READ) as data:
            found = _Message(data, 0, len(data)).block(7)
            if found is None:
                raise ValueError("there is no graph")
            weights = {each.text(8) for each in found.blocks(5)}
            inputs, outputs = ([_tensor(each) for each in found.blocks(n)] for n in (11, 12))
    except OSError as error:
        raise ModelError(f"{path} cannot be read: {error.strerror}.") from error
    except (ValueError, IndexError) as error:
        raise ModelError(f"{path} is no ONNX model, or is damaged.") from error
    # Old files list their weights among the inputs.
    inputs = [each for each in inputs if each.name not in weights]
    if not inputs or not outputs:
        raise ModelError(f"{path} is no ONNX model, or is damaged.")
    return Signature(inputs, outputs)


class _Message:
    """A message of protocol buffers: the bytes from `start` to `end`."""

    def __init__(self, data: mmap, start: int, end: int) -> None:
        self._data, self._start, self._end = data, start, end

    def blocks(self, field: int) -> Iterator[_Message]:
        """All messages or texts in that field."""
        for number, value in self._fields():
            if number == field and isinstance(value, _Message):
                yield value

    def block(self, field: int) -> _Message | None:
        return next(self.blocks(field), None)

    def text(self, field: int) -> str:
        found = self.block(field)
        return found._data[found._start : found._end].decode() if found else ""

    def integer(self, field: int) -> int | None:
        return next((n for number, n in self._fields() if number == field and type(n) is int), None)

    def _fields(self) -> Iterator[tuple[int, int | _Message]]:
        at = self._start
        while at < self._end:
            key, at = self._varint(at)
            field, kind = key >> 3, key & 7
            if kind == _VARINT:
                value, at = self._varint(at)
                yield field, value
            elif kind == _BLOCK:
                size, at = self._varint(at)
                if at + size > self._end:
                    raise ValueError("it ends too early")
                yield field, _Message(self._data, at, at + size)
                at += size
            elif kind in (_EIGHT_BYTES, _FOUR_BYTES):
                at += 8 if kind == _EIGHT_BYTES else 4
            else:
                raise ValueError("this is something else")

    def _varint(self, at: int) -> tuple[int, int]:
        value = shift = 0
        while True:
            byte = self._data[at]
            value |= (byte & 0x7F) << shift
            at, shift = at + 1, shift + 7
            if byte < 0x80:
                return value, at


def _tensor(info: _Message) -> Tensor:
    described = info.block(2)
    tensor = described.block(1) if described else None
    if tensor is None:
        return Tensor(info.text(1), "", None)
    kind = TYPES.get(tensor.integer(1) or 0, "")
    shape = tensor.block(2)
    sizes = tuple(_size(each) for each in shape.blocks(1)) if shape else None
    return Tensor(info.text(1), kind, sizes)


def _size(dimension: _Message) -> int | None:
    # Some exporters write 0 or -1, as a 64-bit complement, where it varies.
    size = dimension.integer(1)
    return size if size and size < 1 << 63 else None
