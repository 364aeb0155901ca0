"""Read pickles of lists, dicts, strings, numbers and numpy arrays of floats.

A pickle is a program. `load` goes through its opcodes first and refuses a program that would take
too much time or memory. Then it runs the program, with `FUNCTIONS` as the only names in it.
"""

from __future__ import annotations

import pickle
import pickletools
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from typing import Any, NamedTuple

import numpy as np

from .exceptions import MAX_BYTES, SourceError

# One byte of a pickle can make an object of sixty.
MAX_OPCODES, MAX_DEPTH = 20_000_000, 100
# Python hashes integers modulo 2 ** 61 - 1: any number of larger ones can have the same hash.
MAX_INTEGER_BITS = 64

PUTS, GETS = {"PUT", "BINPUT", "LONG_BINPUT", "MEMOIZE"}, {"GET", "BINGET", "LONG_BINGET"}
ITEMS, CHANGES = (
    {"DICT", "SETITEM", "SETITEMS"},
    {"APPEND", "APPENDS", "SETITEM", "SETITEMS", "BUILD"},
)
# NEWOBJ and NEWOBJ_EX take a class, and `FUNCTIONS` has none: they fail, after its name is refused.
REFUSED = {
    *("POP", "POP_MARK", "DUP", "INST", "OBJ", "PERSID", "BINPERSID", "EXT1", "EXT2", "EXT4"),
    *("EMPTY_SET", "ADDITEMS", "FROZENSET", "NEXT_BUFFER", "READONLY_BUFFER"),
}
OPCODES = {opcode.name for opcode in pickletools.opcodes if opcode.proto <= 5} - REFUSED


def load(data: bytes) -> Any:
    """Return the content of a pickle. Its arrays have at most two dimensions.

    Raises:
        SourceError: The pickle is damaged or too large, or holds or calls anything else.
    """
    if len(data) > MAX_BYTES:
        raise SourceError("The pickle is too large.")
    try:
        _check(data)
        return _Unpickler(BytesIO(data), encoding="latin-1").load()
    except SourceError:
        raise
    except Exception as error:  # a damaged pickle can fail in any way
        raise SourceError("The pickle is damaged, or the file is not a pickle.") from error


@dataclass(slots=True)
class _Value:
    """A value of the program. Its size counts a shared part as often as it is used."""

    is_key: bool
    size: int
    depth: int = 0
    # It is used in several places: what it holds was counted in each, and may not change any more.
    is_shared: bool = False


def _check(data: bytes) -> None:
    """Raise an error if a pickle, or what it holds, is too large to go through.

    The keys of dicts must be strings, bytes or numbers: nested tuples may take for ever to hash.
    """
    total, stack, below, memo = 0, list[_Value](), list[list[_Value]](), dict[Any, _Value]()
    for count, (opcode, argument, _position) in enumerate(pickletools.genops(data)):
        name = opcode.name
        if name not in OPCODES:
            raise SourceError(f"The pickle holds more than lists, dicts and arrays ({name}).")
        if isinstance(argument, int) and argument.bit_length() > MAX_INTEGER_BITS:
            raise SourceError(f"The pickle holds an integer of more than {MAX_INTEGER_BITS} bits.")
        value = _Value(isinstance(argument, str | bytes | int | float) and name != "GLOBAL", 1)
        if isinstance(argument, str | bytes | bytearray):
            value.size += len(argument)
        parts: list[_Value] = []
        if name in PUTS:
            place = len(memo) if argument is None else argument
            if place > count:
                raise ValueError("Memory would be reserved for values that do not exist.")
            memo[place] = stack[-1]
        elif name in GETS:
            found = memo[argument]
            found.is_shared = True
            value = _Value(found.is_key, found.size, found.depth, is_shared=True)
        elif name == "MARK":
            below.append(stack)
            stack = []
        elif pickletools.markobject in opcode.stack_before:
            parts, stack = stack, below.pop()
        else:
            number = len(opcode.stack_before) - (name in CHANGES)
            parts = [stack.pop() for _ in range(number)][::-1]
        total += value.size
        if name in ITEMS and not all(part.is_key for part in parts[::2]):
            raise SourceError("The pickle holds a dict with keys other than strings and numbers.")
        if name in CHANGES:
            value = stack[-1]
            if value.is_shared:
                raise ValueError("A shared value would change, and its size with it.")
        elif name not in PUTS and name != "MARK":
            stack += [value] * len(opcode.stack_after)
        for part in parts:
            value.size += part.size
            value.depth = max(value.depth, part.depth + 1)
        if count > MAX_OPCODES or total > MAX_BYTES or value.depth > MAX_DEPTH:
            raise SourceError("The pickle is too large, or nested too deep.")


class _Function(NamedTuple):
    """A function without attributes that a pickle could change."""

    function: Callable[..., Any]

    def __call__(self, *arguments: Any) -> Any:
        return self.function(*arguments)


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        place = module.replace("numpy._core.", "numpy.core.").replace("__builtin__", "builtins")
        if function := FUNCTIONS.get(f"{place}.{name}"):
            return _Function(function)
        if "dlib" in module:
            raise SourceError(
                "The pickle holds dlib vectors, which only dlib can read: convert them with "
                "numpy.array(vector), and pickle the arrays."
            )
        raise SourceError(
            f"The pickle asks for {module}.{name}. Only lists, dicts and arrays of floats are read."
        )


class _Array(np.ndarray):
    """An array of floats, which is empty until its shape and bytes follow."""

    def __setstate__(self, state: Any) -> None:
        *_version, shape, dtype, fortran, data = state
        # Types first: to compare lists can take for ever.
        if (
            type(shape) is not tuple
            or len(shape) > 2
            or any(type(each) is not int for each in shape)
        ):
            raise ValueError("This is not the shape of encodings.")
        if min(shape, default=0) < 0:
            raise ValueError("This is not the shape of encodings.")
        # numpy compares the shape with the number of bytes before it reserves memory.
        super().__setstate__((1, shape, dtype.value, bool(fortran), data))  # type: ignore[arg-type]
        self.flags.writeable = False


class _FloatType:
    """The type of an array's numbers: a size, and an order of their bytes."""

    def __init__(self, code: str, *_flags: Any) -> None:
        if code.lstrip("<>=|") not in ("f2", "f4", "f8"):
            raise SourceError(f"The pickle holds an array of something other than floats ({code}).")
        self.value = np.dtype(code)

    def __setstate__(self, state: Any) -> None:
        _version, order, *_rest = state
        self.value = self.value.newbyteorder(order)


def _empty_array(*_arguments: Any) -> _Array:
    return np.ndarray.__new__(_Array, 0)


def _array(data: Any, dtype: Any, shape: Any, order: str = "C", *_axes: Any) -> _Array:
    array = _empty_array()
    data = bytes(data) if isinstance(data, bytearray) else data
    array.__setstate__((shape, dtype, {"C": False, "F": True}[order], data))
    return array


def _empty_dict(factory: Any = None) -> dict[Any, Any]:
    if not (factory is None or factory == () or isinstance(factory, _Function)):
        raise ValueError("This is not an empty dict.")
    return {}


# What stands for the names that a pickle may use.
FUNCTIONS: dict[str, Callable[..., Any]] = {
    "numpy.core.multiarray._reconstruct": _empty_array,
    "numpy.core.multiarray.scalar": lambda dtype, data: _array(data, dtype, (1,)).item(),
    "numpy.core.numeric._frombuffer": _array,
    "numpy.ndarray": _empty_array,
    "numpy.dtype": _FloatType,
    "_codecs.encode": lambda text, name: text.encode({"latin1": name, "latin-1": name}[name]),
    "collections.OrderedDict": _empty_dict,
    "collections.defaultdict": _empty_dict,
    "builtins.list": lambda: [],
}
