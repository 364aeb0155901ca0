"""Validate settings against their type annotations and describe the expected types.

The checks and the documentation use it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import NoneType
from typing import Any, Literal, get_args, get_origin

NAMES = {
    bool: "True or False",
    float: "a positive number",
    int: "a positive whole number",
    str: "text",
    Path: "a path",
    Mapping: "a dict",
    NoneType: "None",
}


def matches(value: Any, annotation: Any) -> bool:
    """Return True if a value is of the annotated type. Numbers have to be positive and finite."""
    if get_origin(annotation) is Literal:
        return any(value == choice for choice in get_args(annotation))
    if get_origin(annotation) is Sequence:
        return isinstance(value, list | tuple) and all(isinstance(each, str) for each in value)
    if options := get_args(annotation):
        return any(matches(value, option) for option in options)
    if annotation not in (int, float):
        return isinstance(value, annotation)
    # For Python, True is a number.
    is_number = isinstance(value, int | annotation) and not isinstance(value, bool)
    return is_number and 0 < value < math.inf


def describe(annotation: Any) -> str:
    """Return an annotated type in plain English, such as "a positive number or None"."""
    options = get_args(annotation)
    if get_origin(annotation) is Literal:
        *others, last = map(repr, options)
        return f"{', '.join(others)} or {last}" if others else last
    if get_origin(annotation) is Sequence:
        return "a list of texts"
    return " or ".join(NAMES.get(each) or describe(each) for each in options or [annotation])
