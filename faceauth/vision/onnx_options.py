"""Check the options of `ONNXEncoder` against its ONNX file, and complete them from the file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from hashlib import file_digest
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from . import alignment_templates
from .dlib_networks import ModelError
from .encoding import DlibEncoder
from .onnx_session import DTYPES, Tensor, read_signature

CHANNELS = ("RGB", "BGR")
LAYOUTS = ("NCHW", "NHWC")
ALIGNMENTS = {"arcface": alignment_templates.arcface, "dlib": alignment_templates.dlib}
STANDARDISE: Literal["standardise"] = "standardise"

MAX_NAME_LENGTH = 64  # bytes of UTF-8
# Templates are multiplied by a secret matrix with this many rows, which takes seconds to make.
MAX_SIZE = 2048


class MeanAndStd(NamedTuple):
    """Mean and standard deviation of pixels from 0 to 255, float32 (1,) or (3,)."""

    mean: NDArray[np.float32]
    std: NDArray[np.float32]


Normalisation = Literal["standardise"] | MeanAndStd | None


class Options(NamedTuple):
    """A network and how to use it. See `ONNXEncoder` for the options that are not listed here.

    Attributes:
        input: The name of the network's input.
        output: The name of its output.
        dtype: Numpy's name of the input's type.
        single: The network takes one picture at a time.
        side: Width and height of the chips in pixels.
        template: The alignment template, float64 (3, 2); see `alignment_templates`.
    """

    path: Path
    name: str
    size: int
    input: str
    output: str
    dtype: str
    single: bool
    side: int
    channels: str
    layout: str
    normalise: Normalisation
    template: alignment_templates.Points


def resolve(path: Any, **options: Any) -> Options:
    """Return the options of `ONNXEncoder`, completed from the file.

    Raises:
        ModelError: The file is not a network that maps pictures to encodings.
        ValueError: An option is wrong or contradicts the file.
    """
    if not isinstance(path, str | Path):
        raise ValueError(f"'path' is {path!r}, which is not a path.")
    path = Path(path)
    name = _name(options["name"])
    channels = _choice("channels", options["channels"], CHANNELS)
    normalise = _normalisation(options["normalise"])
    inputs, outputs = read_signature(path)
    if len(inputs) > 1:
        names = ", ".join(each.name for each in inputs)
        raise ModelError(f"{path} takes {names}, not pictures alone.")
    pixels, encodings = inputs[0], outputs[0]
    layout = _layout(options["layout"], pixels, path)
    side = _side(options["input"], pixels, layout, path)
    if pixels.dtype == "uint8" and normalise is not None:
        raise ValueError(f"'normalise' is {options['normalise']!r}, but {path} takes bytes.")
    template = _template(options["align"], side)
    return Options(
        path=path,
        name=name or _default_name(path, channels, layout, side, normalise, template),
        size=_size(options["size"], encodings, path),
        input=pixels.name,
        output=encodings.name,
        dtype=pixels.dtype,
        single=pixels.shape[0] is not None,
        side=side,
        channels=channels,
        layout=layout,
        normalise=normalise,
        template=template,
    )


def _name(value: Any) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str) or not 0 < len(value.encode()) <= MAX_NAME_LENGTH:
        limit = f"text of at least 1 character and at most {MAX_NAME_LENGTH} bytes (UTF-8)"
        raise ValueError(f"'name' is {value!r}, which is not {limit}.")
    if value == DlibEncoder.name:
        raise ValueError(f"'name' is {value!r}, which is the name of dlib's own encoder.")
    return value


def _default_name(path: Path, *options: Any) -> str:
    """Return a name that changes with the file and with the options.

    It is stored with templates, so it also depends on the names in `MeanAndStd`.
    """
    with path.open("rb") as file:
        digest = file_digest(file, "sha256")
    digest.update(repr(options).encode())
    stem = path.stem.encode()[: MAX_NAME_LENGTH - 9].decode(errors="ignore")
    return f"{stem}-{digest.hexdigest()[:8]}"


def _layout(value: Any, pixels: Tensor, path: Path) -> str:
    if not pixels.dtype:
        known = ", ".join(DTYPES.values())
        raise ModelError(f"{path} does not take pixels: the type of its input is not {known}.")
    shape = pixels.shape
    colours = {layout: shape[layout.index("C")] for layout in LAYOUTS} if len(shape) == 4 else {}
    possible = [layout for layout in LAYOUTS if colours.get(layout) == 3]
    possible = possible or [layout for layout, count in colours.items() if count is None]
    if not possible:
        raise ModelError(
            f"{path} does not take pictures in three colours: its input is {_shape_text(pixels)}."
        )
    if shape[0] not in (1, None):
        raise ModelError(f"{path} takes {shape[0]} pictures at once, not one.")
    if value is None:
        if len(possible) > 1:
            raise ValueError(f"'layout' is missing, and {path} does not state it.")
        return possible[0]
    layout = _choice("layout", value, LAYOUTS)
    if layout not in possible:
        raise ValueError(f"'layout' is {value!r}, but {path} has {possible[0]!r}.")
    return layout


def _side(value: Any, pixels: Tensor, layout: str, path: Path) -> int:
    shape = pixels.shape
    sides = {shape[layout.index("H")], shape[layout.index("W")]} - {None}
    if len(sides) > 1:
        raise ModelError(
            f"{path} takes pictures that are not square: its input is {_shape_text(pixels)}."
        )
    return _whole_number("input", value, sides.pop() if sides else None, path)


def _size(value: Any, encodings: Tensor, path: Path) -> int:
    dimensions = encodings.shape[1:]
    known = bool(dimensions) and None not in dimensions
    stated = int(np.prod(dimensions)) if known else None  # type: ignore[arg-type]
    size = _whole_number("size", value, stated, path)
    if not 1 < size <= MAX_SIZE:
        raise ModelError(f"{path} gives {size} values: 2 to {MAX_SIZE} are supported.")
    return size


def _whole_number(option: str, value: Any, stated: int | None, path: Path) -> int:
    """Return the option's value, or the one that the file states; check that both agree."""
    if value is None:
        if stated is None:
            raise ValueError(f"{option!r} is missing, and {path} does not state it.")
        return stated
    if type(value) is not int or value < 1:
        raise ValueError(f"{option!r} is {value!r}, which is not a positive whole number.")
    if stated not in (value, None):
        raise ValueError(f"{option!r} is {value}, but {path} has {stated}.")
    return value


def _normalisation(value: Any) -> Normalisation:
    if value is None:
        return None
    if isinstance(value, str):
        _choice("normalise", value, [STANDARDISE])
        return STANDARDISE
    if not isinstance(value, Mapping) or {*value} != {*MeanAndStd._fields}:
        choices = "None, 'standardise' or {'mean': ..., 'std': ...}"
        raise ValueError(f"'normalise' is {value!r}, which is not {choices}.")
    mean, std = (_numbers(value[field]) for field in MeanAndStd._fields)
    if mean.shape not in ((1,), (3,)) or std.shape not in ((1,), (3,)) or std.min() <= 0:
        raise ValueError(
            f"'normalise' is {value!r}: give one number each, or three, with 'std' above 0."
        )
    if std.max() <= 1:
        raise ValueError(
            f"'normalise' is {value!r}, but pixels are 0 to 255: 0.5 is 127.5 on this scale."
        )
    return MeanAndStd(mean, std)


def _template(value: Any, side: int) -> alignment_templates.Points:
    if isinstance(value, str):
        return ALIGNMENTS[_choice("align", value, [*ALIGNMENTS])]()
    points = _numbers(value).astype(np.float64)
    if points.shape != (5, 2):
        names = ", ".join(map(repr, ALIGNMENTS))
        raise ValueError(f"'align' is {value!r}, which is not {names} or five [x, y].")
    eye, other_eye, _, corner, other_corner = points
    if eye[0] >= other_eye[0] or corner[0] >= other_corner[0] or eye[1] >= corner[1]:
        order = (
            "the eyes on the left and right of the picture, the tip of the nose, the corners of "
            "the mouth"
        )
        raise ValueError(f"'align' needs its points in this order: {order}.")
    if points.min() < 0 or points.max() > side:
        raise ValueError(f"'align' has points that are not in a chip of {side} pixels.")
    return alignment_templates.from_five_points(points / side)


def _choice(option: str, value: Any, choices: Sequence[str]) -> str:
    """Return the value if it is one of the choices."""
    for choice in choices:
        if value == choice:
            return choice
    message = f"{option!r} is {value!r}, which is not {' or '.join(map(repr, choices))}."
    folded = {each.lower(): each for each in choices}
    close = get_close_matches(str(value).lower(), folded, 1)
    raise ValueError(f"{message} Did you mean {folded[close[0]]!r}?" if close else message)


def _numbers(value: Any) -> NDArray[np.float32]:
    """Return the value as an array, or an empty one if it is not made of finite numbers."""
    try:
        numbers = np.atleast_1d(np.asarray(value, np.float32))
    except (TypeError, ValueError):
        return np.empty(0, np.float32)
    return numbers if np.isfinite(numbers).all() else np.empty(0, np.float32)


def _shape_text(tensor: Tensor) -> str:
    return "x".join("?" if size is None else str(size) for size in tensor.shape) or "unknown"
