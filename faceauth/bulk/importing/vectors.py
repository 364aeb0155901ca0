"""One encoding, whatever it was kept as, to numbers."""

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
from .exceptions import SourceError, Unusable

Vector = NDArray[np.float64]

BETWEEN = re.compile(r"[\s,;]+")
BRACKETS = " \t\r\n[](){}"

HEADERS: dict[tuple[int, int], Callable[[BytesIO], Any]] = {
    (1, 0): npy.read_array_header_1_0,
    (2, 0): npy.read_array_header_2_0,
}


def vector(value: Any, size: int) -> Vector:
    """An encoding of so many numbers, float64 (size,).

    value: an array or a list of numbers; a text with those, as JSON or numpy prints them, or with
        base64; bytes: raw float64 or float32, what `numpy.save` writes, a pickle or a text; or
        MongoDB's extended JSON for bytes.

    Raises:
        Unusable: it is something else.
    """
    numbers = _numbers(value, size)
    if numbers.shape != (size,):
        raise Unusable("wrong_size", numbers=numbers.size, size=size)
    if not np.isfinite(numbers).all() or not numbers.any():
        raise Unusable("not_finite")
    return numbers


def several(value: Any) -> list[Any]:
    """The encodings in what is kept for one person: one, or a list of them."""
    value = plain(value)
    if isinstance(value, np.ndarray):
        return [value] if value.ndim < 2 else list(value)
    if isinstance(value, list | tuple):
        return [value] if value and all(_is_number(each) for each in value) else list(value)
    return [value]


def plain(value: Any) -> Any:
    """An array of a pickle as an array."""
    if isinstance(value, safe_pickle.Array):
        return np.zeros(0) if value.values is None else value.values
    return value


def array(data: bytes) -> NDArray[Any]:
    """What `numpy.save` wrote: floats (d,) or (n, d).

    Raises:
        Unusable: they are not.
    """
    file = BytesIO(data)
    try:
        shape, fortran, dtype = HEADERS[npy.read_magic(file)](file)
    except (ValueError, LookupError, SyntaxError, TokenError, MemoryError, RecursionError) as error:
        raise Unusable("damaged") from error
    rest = data[file.tell() :]
    if dtype.kind != "f" or len(shape) > 2:
        raise Unusable("no_numbers")
    # Before it is laid out: a header may say anything.
    if math.prod(shape) * dtype.itemsize != len(rest):
        raise Unusable("damaged")
    return np.frombuffer(rest, dtype).reshape(shape, order="F" if fortran else "C")


def _numbers(value: Any, size: int) -> Vector:
    value = plain(value)
    if isinstance(value, dict) and "$binary" in value:
        binary = value["$binary"]
        value = binary.get("base64") if isinstance(binary, dict) else binary
    if isinstance(value, dict) and "0" in value:
        # What JavaScript's JSON.stringify makes of a Float32Array.
        value = [value.get(str(place)) for place in range(len(value))]
    if isinstance(value, np.ndarray):
        if value.dtype.kind != "f":
            raise Unusable("no_numbers")
        return value.astype(np.float64)
    if isinstance(value, bytes | memoryview):
        return _of_bytes(bytes(value), size)
    if isinstance(value, str):
        return _of_text(value, size)
    if isinstance(value, list | tuple):
        # A list of one encoding is what face_recognition gives for a photo.
        if len(value) == 1 and not _is_number(value[0]):
            value = plain(value[0])
            return _listed(value.tolist() if isinstance(value, np.ndarray) else value)
        return _listed(value)
    raise Unusable("no_numbers")


def _listed(numbers: Any) -> Vector:
    if not isinstance(numbers, list | tuple) or not all(map(_is_number, numbers)):
        raise Unusable("no_numbers")
    try:
        return np.array(numbers, np.float64)
    except OverflowError as error:
        raise Unusable("not_finite") from error


def _of_text(text: str, size: int) -> Vector:
    numbers = BETWEEN.split(text.strip().removeprefix("array").strip(BRACKETS))
    if "..." in numbers:
        raise Unusable("truncated")
    if len(numbers) > 1 and _are_numbers(numbers):
        return np.array(numbers, np.float64)
    packed = "".join(text.split()).replace("-", "+").replace("_", "/")
    if not packed:
        raise Unusable("no_numbers")
    try:
        found = base64.b64decode(packed, validate=True)
    except ValueError as error:
        raise Unusable("no_numbers") from error
    return _of_bytes(found, size)


def _of_bytes(data: bytes, size: int) -> Vector:
    if data.startswith(npy.MAGIC_PREFIX):
        return array(data).astype(np.float64).reshape(-1)
    # What else has this many bytes is not found by chance among 256 that are possible for each.
    for kind in (np.dtype("<f8"), np.dtype("<f4")):
        if len(data) == size * kind.itemsize and not _is_text(data):
            return np.frombuffer(data, kind).astype(np.float64)
    if data.startswith(b"\x80"):
        try:
            return _numbers(safe_pickle.load(data), size)
        except (SourceError, RecursionError) as error:
            raise Unusable("damaged") from error
    if not _is_text(data):
        raise Unusable("wrong_bytes", bytes=len(data), size=size)
    return _of_text(data.decode(), size)


def _is_text(data: bytes) -> bool:
    return data.isascii() and not any(data.count(each) for each in (b"\0", b"\x01", b"\x7f"))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _are_numbers(texts: list[str]) -> bool:
    try:
        return bool([float(each) for each in texts])
    except ValueError:
        return False


def parsed(text: str) -> Any:
    """JSON.

    Raises:
        SourceError: it is none.
    """
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise SourceError(str(error)) from error
