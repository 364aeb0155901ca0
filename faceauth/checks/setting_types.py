"""What the keys of ``FACEAUTH`` may hold, by their types: told from what they may not, and said in
words, for `checks` and for the docs.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import NoneType
from typing import Any, Literal, get_args, get_origin

WORDS = {
    bool: "True or False",
    float: "a positive number",
    int: "a positive whole number",
    str: "text",
    Path: "a path",
    Mapping: "a dict",
    NoneType: "None",
}


def is_of(value: Any, kind: Any) -> bool:
    """Whether the value is of that type, as it is annotated; numbers are positive and finite."""
    if get_origin(kind) is Literal:
        return any(value == choice for choice in get_args(kind))
    if get_origin(kind) is Sequence:
        return isinstance(value, list | tuple) and all(isinstance(each, str) for each in value)
    if options := get_args(kind):
        return any(is_of(value, option) for option in options)
    if kind not in (int, float):
        return isinstance(value, kind)
    # To Python, True is a number.
    number = isinstance(value, int | kind) and not isinstance(value, bool)
    return number and 0 < value < math.inf


def in_words(kind: Any) -> str:
    """The type as its owner would say it: "a positive number or None"."""
    options = get_args(kind)
    if get_origin(kind) is Literal:
        *others, last = map(repr, options)
        return f"{', '.join(others)} or {last}" if others else last
    if get_origin(kind) is Sequence:
        return "a list of texts"
    return " or ".join(WORDS.get(each) or in_words(each) for each in options or [kind])
