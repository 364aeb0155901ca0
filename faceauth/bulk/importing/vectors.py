"""Convert one encoding to numbers, whatever format it was stored in."""

from __future__ import annotations

import base64
import json
import math
import re
from collections.abc import Callable
from io import BytesIO
from tokenize import TokenError
from typing import Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from . import safe_pickle
from .exceptions import SourceError, UnusableEncoding

Vector = NDArray[np.float64]

SEPARATORS = re.compile(r"[\s,;]+")
BRACKETS = " \t\r\n[](){}"

HEADER_READERS: dict[tuple[int, int], Callable[[BytesIO], Any]] = {
    (1, 0): npy.read_array_header_1_0,
    (2, 0): npy.read_array_header_2_0,
}


def to_vector(value: Any, size: int) -> Vector:
    """Return an encoding as float64 (size,).

    Args:
        value: An array or a list of numbers; a text with numbers as JSON or numpy prints them, or
            in base64; bytes: raw float64 or float32, the output of `numpy.save`, a pickle or a
            text; or bytes in MongoDB's extended JSON.
        size: The number of numbers in an encoding.

    Raises:
        UnusableEncoding: The value is anything else.
    """
    numbers = _numbers(value, size)
    if numbers.shape != (size,):
        raise UnusableEncoding("wrong_size", numbers=numbers.size, size=size)
    if not np.isfinite(numbers).all() or not numbers.any():
        raise UnusableEncoding("not_finite")
    return numbers


def split(value: Any) -> list[Any]:
    """Return the encodings that are stored for one person: one, or a list of them."""
    if isinstance(value, np.ndarray):
        # Rows without numbers take no bytes: a file may claim any number of them.
        return [value] if value.ndim < 2 or not value.size else list(value)
    if isinstance(value, list | tuple):
        return [value] if value and all(_is_number(each) for each in value) else list(value)
    return [value]


def read_npy(data: bytes) -> NDArray[Any]:
    """Return the array that `numpy.save` wrote: floats (d,) or (n, d).

    Raises:
        UnusableEncoding: The data is damaged, or the array has other items or dimensions.
    """
    file = BytesIO(data)
    try:
        shape, fortran, dtype = HEADER_READERS[npy.read_magic(file)](file)
    except (ValueError, LookupError, SyntaxError, TokenError, MemoryError, RecursionError) as error:
        raise UnusableEncoding("damaged") from error
    rest = data[file.tell() :]
    if dtype.kind != "f" or len(shape) > 2:
        raise UnusableEncoding("no_numbers")
    # Compared before memory is reserved: a header may claim any shape.
    if math.prod(shape) * dtype.itemsize != len(rest):
        raise UnusableEncoding("damaged")
    return np.frombuffer(rest, dtype).reshape(shape, order="F" if fortran else "C")


def parse_json(text: str) -> Any:
    """Return the value of a JSON text.

    Raises:
        SourceError: The text is not JSON.
    """
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise SourceError(str(error)) from error


def _numbers(value: Any, size: int) -> Vector:
    if isinstance(value, dict) and "$binary" in value:
        binary = value["$binary"]
        value = binary.get("base64") if isinstance(binary, dict) else binary
    if isinstance(value, dict) and "0" in value:
        # JavaScript's JSON.stringify writes a Float32Array like this.
        value = [value.get(str(place)) for place in range(len(value))]
    if isinstance(value, np.ndarray):
        if value.dtype.kind != "f":
            raise UnusableEncoding("no_numbers")
        return np.array(value, np.float64)
    if isinstance(value, bytes | bytearray | memoryview):
        return _from_bytes(bytes(value), size)
    if isinstance(value, str):
        return _from_text(value, size)
    if isinstance(value, list | tuple):
        # face_recognition returns a list of one encoding for a photo.
        if len(value) == 1 and not _is_number(value[0]):
            value = value[0]
            return _from_list(value.tolist() if isinstance(value, np.ndarray) else value)
        return _from_list(value)
    raise UnusableEncoding("no_numbers")


def _from_list(numbers: Any) -> Vector:
    if not isinstance(numbers, list | tuple) or not all(map(_is_number, numbers)):
        raise UnusableEncoding("no_numbers")
    try:
        return np.array(numbers, np.float64)
    except OverflowError as error:
        raise UnusableEncoding("not_finite") from error


def _from_text(text: str, size: int) -> Vector:
    numbers = SEPARATORS.split(text.strip().removeprefix("array").strip(BRACKETS))
    if "..." in numbers:
        raise UnusableEncoding("truncated")
    if len(numbers) > 1 and _are_numbers(numbers):
        return np.array(numbers, np.float64)
    packed = "".join(text.split()).replace("-", "+").replace("_", "/")
    if not packed:
        raise UnusableEncoding("no_numbers")
    try:
        found = base64.b64decode(packed, validate=True)
    except ValueError as error:
        raise UnusableEncoding("no_numbers") from error
    return _from_bytes(found, size)


def _from_bytes(data: bytes, size: int) -> Vector:
    if data.startswith(npy.MAGIC_PREFIX):
        return read_npy(data).astype(np.float64).reshape(-1)
    # Of all the other formats, none has this many bytes, each with 256 possible values, by chance.
    for kind in (np.dtype("<f8"), np.dtype("<f4")):
        if len(data) == size * kind.itemsize and not _is_text(data):
            return np.frombuffer(data, kind).astype(np.float64)
    if data.startswith(b"\x80"):
        try:
            return _numbers(safe_pickle.load(data), size)
        except (SourceError, RecursionError) as error:
            raise UnusableEncoding("damaged") from error
    if not _is_text(data):
        raise UnusableEncoding("wrong_bytes", bytes=len(data), size=size)
    return _from_text(data.decode(), size)


def _is_text(data: bytes) -> bool:
    return data.isascii() and not any(data.count(each) for each in (b"\0", b"\x01", b"\x7f"))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _are_numbers(texts: list[str]) -> bool:
    try:
        return bool([float(each) for each in texts])
    except ValueError:
        return False
