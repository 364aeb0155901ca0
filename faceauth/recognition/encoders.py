"""Which network encodes the faces of this site: dlib's, or the owner's by ``ENCODER``."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from copy import deepcopy
from difflib import get_close_matches
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string

from faceauth import conf
from faceauth.vision import ModelError, ONNXEncoder
from faceauth.vision.encoding import DlibEncoder, Encoder

OPTIONS = tuple(inspect.signature(ONNXEncoder).parameters)

# What a class of the owner's must have.
MEMBERS = ("name", "size", "load", "chip", "views", "encode")

_last: tuple[Any, Encoder] = None, DlibEncoder()


def encoder() -> Encoder:
    """The encoder in force now. Nothing of it is loaded by that.

    Raises:
        ImproperlyConfigured: ``ENCODER`` names none.
    """
    global _last
    wanted = conf.get().ENCODER
    before, now = _last
    # Asked for with each template, and nearly always what it was.
    if wanted != before:
        now = create(wanted)
        _last = deepcopy(wanted), now
    return now


def create(wanted: Mapping | str | None) -> Encoder:
    """The encoder that ``ENCODER`` describes.

    Raises:
        ImproperlyConfigured: it describes none.
    """
    if wanted is None:
        return DlibEncoder()
    try:
        return _of_class(wanted) if isinstance(wanted, str) else _of_file(wanted)
    except (ModelError, ValueError) as error:
        raise ImproperlyConfigured(f"FACEAUTH['ENCODER']: {error}") from error


def _of_file(wanted: Mapping) -> Encoder:
    for key in wanted:
        if key not in OPTIONS:
            close = get_close_matches(str(key), OPTIONS, 1)
            hint = f"Did you mean {close[0]!r}?" if close else f"There are: {', '.join(OPTIONS)}."
            raise ValueError(f"there is no key {key!r}. {hint}")
    if "path" not in wanted:
        raise ValueError("'path' is missing, which names the network's file.")
    return ONNXEncoder(**wanted)


def _of_class(wanted: str) -> Encoder:
    try:
        found: Encoder = import_string(wanted)()
    except Exception as error:  # the class is the owner's
        raise ValueError(f"{wanted!r} cannot be made: {error}") from error
    if missing := [each for each in MEMBERS if not hasattr(found, each)]:
        raise ValueError(f"{wanted!r} is no encoder: it has no {', '.join(missing)}.")
    return found
