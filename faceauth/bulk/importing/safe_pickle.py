"""Pickles, read without `pickle`: lists, dicts, texts, numbers and numpy's arrays of floats.

A pickle is a program. `pickle` runs it, with whatever functions it names, and even where those are
restricted it may be told to reserve any amount of memory. Here its opcodes are gone through one by
one, names are compared and never looked up, and an array is made where its bytes are there.
"""

from __future__ import annotations

import math
import pickletools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from django.utils.translation import gettext as _
from numpy.typing import NDArray

from .exceptions import MOST_BYTES, SourceError

# One byte of a pickle can make an object of sixty.
MOST_OPCODES = 20_000_000

MULTIARRAY = ("numpy.core.multiarray", "numpy._core.multiarray")
NUMERIC = ("numpy.core.numeric", "numpy._core.numeric")

# What may be named, by module: what stands for it here.
NAMES: dict[tuple[str, str], str] = {
    **{(module, "_reconstruct"): "array" for module in MULTIARRAY},
    **{(module, "scalar"): "scalar" for module in MULTIARRAY},
    **{(module, "_frombuffer"): "buffer" for module in NUMERIC},
    ("numpy", "ndarray"): "ndarray",
    ("numpy", "dtype"): "dtype",
    ("_codecs", "encode"): "bytes",
    ("collections", "OrderedDict"): "dict",
    ("collections", "defaultdict"): "dict",
    ("builtins", "list"): "list",
    ("__builtin__", "list"): "list",
}

FLOATS = {"f2", "f4", "f8"}

_MARK = object()


class Named(NamedTuple):
    """A function or class that the pickle names, by what stands for it in `NAMES`."""

    kind: str


@dataclass
class DType:
    """A kind of floats: "f8", and the order of its bytes."""

    code: str
    order: str = "<"

    def of(self, data: bytes) -> NDArray[Any]:
        return np.frombuffer(data, np.dtype(self.order + self.code))


@dataclass
class Array:
    """An array of floats; None until its bytes came."""

    values: NDArray[Any] | None = None


def load(data: bytes) -> Any:
    """What the pickle holds; arrays as `Array`.

    Raises:
        SourceError: it is damaged, too large, or holds or asks for anything else.
    """
    if len(data) > MOST_BYTES:
        raise SourceError(_("The pickle is too large."))
    try:
        return _Machine().run(data)
    except SourceError:
        raise
    # What is damaged goes wrong in as many ways as there are opcodes.
    except (ValueError, LookupError, TypeError, AttributeError, OverflowError) as error:
        raise SourceError(_("The pickle is damaged, or is none.")) from error


class _Machine:
    """Goes through the opcodes of one pickle."""

    def __init__(self) -> None:
        self.stack: list[Any] = []
        self.memo: dict[int, Any] = {}

    def run(self, data: bytes) -> Any:
        for count, (opcode, argument, _place) in enumerate(pickletools.genops(data)):
            if count > MOST_OPCODES:
                raise SourceError(_("The pickle is too large."))
            if opcode.name == "STOP":
                return self.stack.pop()
            self.step(opcode.name, argument)
        raise SourceError(_("The pickle is damaged, or is none."))

    def step(self, name: str, argument: Any) -> None:
        stack = self.stack
        match name:
            case "PROTO" | "FRAME":
                pass
            case "MARK":
                stack.append(_MARK)
            case "NONE":
                stack.append(None)
            case "NEWTRUE" | "NEWFALSE":
                stack.append(name == "NEWTRUE")
            case "INT" | "BININT" | "BININT1" | "BININT2" | "LONG" | "LONG1" | "LONG4":
                stack.append(argument)
            case "FLOAT" | "BINFLOAT":
                stack.append(argument)
            case "STRING" | "BINSTRING" | "SHORT_BINSTRING":
                stack.append(argument)
            case "UNICODE" | "BINUNICODE" | "SHORT_BINUNICODE" | "BINUNICODE8":
                stack.append(argument)
            case "BINBYTES" | "SHORT_BINBYTES" | "BINBYTES8" | "BYTEARRAY8":
                stack.append(bytes(argument))
            case "EMPTY_LIST" | "EMPTY_TUPLE" | "EMPTY_DICT":
                stack.append({"EMPTY_LIST": [], "EMPTY_TUPLE": (), "EMPTY_DICT": {}}[name])
            case "LIST" | "TUPLE":
                found = self.since_mark()
                stack.append(found if name == "LIST" else tuple(found))
            case "TUPLE1" | "TUPLE2" | "TUPLE3":
                count = int(name[-1])
                stack[-count:] = [tuple(stack[-count:])]
            case "APPEND" | "APPENDS":
                found = self.since_mark() if name == "APPENDS" else [stack.pop()]
                _is(stack[-1], list).extend(found)
            case "DICT" | "SETITEM" | "SETITEMS":
                found = [stack.pop(-2), stack.pop()] if name == "SETITEM" else self.since_mark()
                if name == "DICT":
                    stack.append({})
                _is(stack[-1], dict).update(zip(found[::2], found[1::2], strict=True))
            case "PUT" | "BINPUT" | "LONG_BINPUT":
                self.memo[argument] = stack[-1]
            case "MEMOIZE":
                self.memo[len(self.memo)] = stack[-1]
            case "GET" | "BINGET" | "LONG_BINGET":
                stack.append(self.memo[argument])
            case "GLOBAL":
                stack.append(named(*argument.split(" ", 1)))
            case "STACK_GLOBAL":
                module, attribute = stack.pop(-2), stack.pop()
                stack.append(named(module, attribute))
            case "REDUCE":
                called, arguments = stack.pop(-2), stack.pop()
                stack.append(made(_is(called, Named).kind, _is(arguments, tuple)))
            case "BUILD":
                state = stack.pop()
                build(stack[-1], state)
            case _:
                asked = _(
                    "The pickle holds something else than lists, dicts and arrays (%(what)s)."
                )
                raise SourceError(asked % {"what": name})

    def since_mark(self) -> list[Any]:
        """What was put on the stack since the last mark, taken off with it."""
        place = len(self.stack) - 1
        while self.stack[place] is not _MARK:
            place -= 1
        found = self.stack[place + 1 :]
        del self.stack[place:]
        return found


def named(module: Any, attribute: Any) -> Named:
    """What a name stands for.

    Raises:
        SourceError: it is not in `NAMES`.
    """
    if kind := NAMES.get((module, attribute)):
        return Named(kind)
    if "dlib" in str(module):
        message = _(
            "The pickle holds vectors of dlib, which only dlib can read: make arrays of them, by "
            "numpy.array(vector), and pickle those."
        )
        raise SourceError(message)
    message = _("The pickle asks for %(name)s. Only lists, dicts and arrays of floats are read.")
    raise SourceError(message % {"name": f"{module}.{attribute}"})


def made(kind: str, arguments: tuple[Any, ...]) -> Any:
    """What a call of that would give."""
    match kind, arguments:
        case "array", (Named("ndarray"), tuple(), _kind):
            return Array()
        case "buffer", (bytes(data), DType() as dtype, shape, order, *_axes):
            return Array(_shaped(data, dtype, shape, order == "F"))
        case "scalar", (DType() as dtype, data):
            (value,) = dtype.of(_bytes(data)).tolist()
            return value
        case "dtype", (str(code), *_flags):
            return dtype_of(code)
        case "bytes", (str(text), ("latin1" | "latin-1")):
            return text.encode("latin-1")
        case "dict", ((),) | () | (None | Named("list"),):
            return {}
        case "list", ():
            return []
    raise SourceError(_("The pickle is damaged, or is none."))


def dtype_of(code: str) -> DType:
    """
    Raises:
        SourceError: these are no floats.
    """
    order = code[0] if code[:1] in ("<", ">") else "<"
    code = code.lstrip("<>=|")
    if code not in FLOATS:
        message = _("The pickle holds an array that is not of floats (%(code)s).")
        raise SourceError(message % {"code": code})
    return DType(code, order)


def build(made: Any, state: Any) -> None:
    """Give the bytes to what was made without."""
    match made, state:
        case DType(), (_version, str(order), *_rest):
            made.order = ">" if order == ">" else "<"
        case Array(), (tuple() as shape, DType() as dtype, fortran, data):
            made.values = _shaped(_bytes(data), dtype, shape, bool(fortran))
        case Array(), (int(), tuple() as shape, DType() as dtype, fortran, data):
            made.values = _shaped(_bytes(data), dtype, shape, bool(fortran))
        case _:
            raise SourceError(_("The pickle is damaged, or is none."))


def _shaped(data: bytes, dtype: DType, shape: Sequence[Any], fortran: bool) -> NDArray[Any]:
    flat = dtype.of(data)
    # Before it is laid out: the shape says whatever the pickle says.
    if any(not isinstance(each, int) or each < 0 for each in shape) or len(shape) > 2:
        raise SourceError(_("The pickle is damaged, or is none."))
    if math.prod(shape) != len(flat):
        raise SourceError(_("The pickle holds an array that is larger than its bytes."))
    return flat.reshape(shape, order="F" if fortran else "C")


def _bytes(data: Any) -> bytes:
    # Python 2 had texts for bytes.
    return data.encode("latin-1") if isinstance(data, str) else _is(data, bytes)


def _is(value: Any, kind: type) -> Any:
    if not isinstance(value, kind):
        raise SourceError(_("The pickle is damaged, or is none."))
    return value
