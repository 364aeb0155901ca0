"""What the owner says of an ONNX file, checked against what the file says."""

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
from .onnx_reader import Tensor, signature

CHANNELS = ("RGB", "BGR")
LAYOUTS = ("NCHW", "NHWC")
PATTERNS = {"arcface": alignment_templates.arcface, "dlib": alignment_templates.dlib}
STANDARDISE: Literal["standardise"] = "standardise"

LONGEST_NAME = 64
# Templates are turned by a secret matrix of so many rows, which takes seconds to make.
MOST_NUMBERS = 2048


class MeanAndStd(NamedTuple):
    """Of pixels 0 to 255, float32 (1,) or (3,)."""

    mean: NDArray[np.float32]
    std: NDArray[np.float32]


Normalisation = Literal["standardise"] | MeanAndStd | None


class Asked(NamedTuple):
    """A network and how to use it.

    input, output: the names of what goes in and comes out.
    type: numpy's name of what goes in.
    alone: whether it takes one picture at a time.
    side: the chip's, in pixels.
    pattern: see `patterns`.
    """

    path: Path
    name: str
    size: int
    input: str
    output: str
    type: str
    alone: bool
    side: int
    channels: str
    layout: str
    normalise: Normalisation
    pattern: alignment_templates.Points


def read(path: Any, **options: Any) -> Asked:
    """The options of `ONNXEncoder`, completed by what the file says.

    Raises:
        ModelError: the file is no network that takes pictures and gives encodings.
        ValueError: an option is wrong, or contradicts the file.
    """
    if not isinstance(path, str | Path):
        raise ValueError(f"'path' is {path!r}, which is not a path.")
    path = Path(path)
    name = _name(options["name"])
    channels = _choice("channels", options["channels"], CHANNELS)
    normalise = _normalisation(options["normalise"])
    inputs, outputs = signature(path)
    if len(inputs) > 1:
        names = ", ".join(each.name for each in inputs)
        raise ModelError(f"{path} takes {names}, and not pictures alone.")
    taken, given = inputs[0], outputs[0]
    layout = _layout(options["layout"], taken, path)
    side = _side(options["input"], taken, layout, path)
    if taken.type == "uint8" and normalise is not None:
        raise ValueError(f"'normalise' is {options['normalise']!r}, and {path} takes bytes.")
    pattern = _pattern(options["align"], side)
    return Asked(
        path=path,
        name=name or _name_of(path, channels, layout, side, normalise, pattern),
        size=_size(options["size"], given, path),
        input=taken.name,
        output=given.name,
        type=taken.type,
        alone=_shape(taken)[0] is not None,
        side=side,
        channels=channels,
        layout=layout,
        normalise=normalise,
        pattern=pattern,
    )


def _name(asked: Any) -> str | None:
    if asked is None:
        return None
    if not isinstance(asked, str) or not 0 < len(asked.encode()) <= LONGEST_NAME:
        raise ValueError(f"'name' is {asked!r}, which is not text of 1 to {LONGEST_NAME} letters.")
    if asked == DlibEncoder.name:
        raise ValueError(f"'name' is {asked!r}, as dlib's own encoder is called.")
    return asked


def _name_of(path: Path, *how: Any) -> str:
    """A name that changes with the file and how it is used."""
    with path.open("rb") as file:
        digest = file_digest(file, "sha256")
    digest.update(repr(how).encode())
    stem = path.stem.encode()[: LONGEST_NAME - 9].decode(errors="ignore")
    return f"{stem}-{digest.hexdigest()[:8]}"


def _layout(asked: Any, taken: Tensor, path: Path) -> str:
    if not taken.type:
        raise ModelError(f"{path} takes no pixels, but something else.")
    shape = _shape(taken)
    colours = {layout: shape[layout.index("C")] for layout in LAYOUTS} if len(shape) == 4 else {}
    possible = [layout for layout in LAYOUTS if colours.get(layout) == 3]
    possible = possible or [layout for layout, count in colours.items() if count is None]
    if not possible:
        words = f"its input is {_words(taken)}"
        raise ModelError(f"{path} takes no pictures in three colours: {words}.")
    if shape[0] not in (1, None):
        raise ModelError(f"{path} takes {shape[0]} pictures at once, and not one.")
    if asked is None:
        if len(possible) > 1:
            raise ValueError(f"'layout' is missing, and {path} does not say it.")
        return possible[0]
    layout = _choice("layout", asked, LAYOUTS)
    if layout not in possible:
        raise ValueError(f"'layout' is {asked!r}, and {path} has {possible[0]!r}.")
    return layout


def _side(asked: Any, taken: Tensor, layout: str, path: Path) -> int:
    shape = _shape(taken)
    told = {shape[layout.index("H")], shape[layout.index("W")]} - {None}
    if len(told) > 1:
        raise ModelError(
            f"{path} takes pictures that are not square: its input is {_words(taken)}."
        )
    return _whole("input", asked, told.pop() if told else None, path)


def _size(asked: Any, given: Tensor, path: Path) -> int:
    told = _shape(given)[1:]
    size = _whole("size", asked, int(np.prod(told)) if told and None not in told else None, path)  # type: ignore[arg-type]
    if not 1 < size <= MOST_NUMBERS:
        raise ModelError(f"{path} gives {size} numbers: 2 to {MOST_NUMBERS} are taken.")
    return size


def _whole(option: str, asked: Any, told: int | None, path: Path) -> int:
    """What was asked for, what the file tells, or both."""
    if asked is None:
        if told is None:
            raise ValueError(f"{option!r} is missing, and {path} does not say it.")
        return told
    if type(asked) is not int or asked < 1:
        raise ValueError(f"{option!r} is {asked!r}, which is not a positive whole number.")
    if told not in (asked, None):
        raise ValueError(f"{option!r} is {asked}, and {path} has {told}.")
    return asked


def _normalisation(asked: Any) -> Normalisation:
    if asked is None:
        return None
    if isinstance(asked, str):
        _choice("normalise", asked, [STANDARDISE])
        return STANDARDISE
    if not isinstance(asked, Mapping) or {*asked} != {*MeanAndStd._fields}:
        words = "None, 'standardise' or {'mean': ..., 'std': ...}"
        raise ValueError(f"'normalise' is {asked!r}, which is not {words}.")
    mean, std = (_numbers(asked[field]) for field in MeanAndStd._fields)
    if mean.shape not in ((1,), (3,)) or std.shape not in ((1,), (3,)) or std.min() <= 0:
        raise ValueError(f"'normalise' is {asked!r}: one number each, or three, 'std' above 0.")
    if std.max() <= 1:
        raise ValueError(f"'normalise' is {asked!r}, and pixels are 0 to 255: 0.5 is 127.5 here.")
    return MeanAndStd(mean, std)


def _pattern(asked: Any, side: int) -> alignment_templates.Points:
    if isinstance(asked, str):
        return PATTERNS[_choice("align", asked, [*PATTERNS])]()
    points = _numbers(asked).astype(np.float64)
    if points.shape != (5, 2):
        names = ", ".join(map(repr, PATTERNS))
        raise ValueError(f"'align' is {asked!r}, which is not {names} or five [x, y].")
    eye, other_eye, _, corner, other_corner = points
    if eye[0] >= other_eye[0] or corner[0] >= other_corner[0] or eye[1] >= corner[1]:
        order = "eyes on the picture's left and right, tip of the nose, the mouth's corners"
        raise ValueError(f"'align' has the points in another order than this: {order}.")
    if points.min() < 0 or points.max() > side:
        raise ValueError(f"'align' has points that are not in a chip of {side} pixels.")
    return alignment_templates.of_five_points(points / side)


def _choice(option: str, asked: Any, choices: Sequence[str]) -> str:
    """What was asked for, where it is one of the choices."""
    for choice in choices:
        if asked == choice:
            return choice
    message = f"{option!r} is {asked!r}, which is not {' or '.join(map(repr, choices))}."
    folded = {each.lower(): each for each in choices}
    close = get_close_matches(str(asked).lower(), folded, 1)
    raise ValueError(f"{message} Did you mean {folded[close[0]]!r}?" if close else message)


def _numbers(asked: Any) -> NDArray[np.float32]:
    """As an array; an empty one of what is no finite numbers."""
    try:
        numbers = np.atleast_1d(np.asarray(asked, np.float32))
    except (TypeError, ValueError):
        return np.empty(0, np.float32)
    return numbers if np.isfinite(numbers).all() else np.empty(0, np.float32)


def _shape(tensor: Tensor) -> tuple[int | None, ...]:
    return tensor.shape or ()


def _words(tensor: Tensor) -> str:
    return "x".join("?" if size is None else str(size) for size in _shape(tensor)) or "unknown"
