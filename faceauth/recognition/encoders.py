"""The encoder of this site: dlib's network, or the one in the setting ``ENCODER``."""

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

# The attributes that a custom encoder class must have.
MEMBERS = ("name", "size", "load", "chip", "views", "encode")

_last: tuple[Any, Encoder] = None, DlibEncoder()


def encoder() -> Encoder:
    """Return the encoder that the settings describe now, without loading its network.

    Raises:
        ImproperlyConfigured: ``ENCODER`` describes no encoder.
    """
    global _last
    setting = conf.get().ENCODER
    before, current = _last
    # Called for each template, and the setting nearly always is what it was.
    if setting != before:
        current = create(setting)
        _last = deepcopy(setting), current
    return current


def create(setting: Mapping | str | None) -> Encoder:
    """Create the encoder that a value of ``ENCODER`` describes.

    Raises:
        ImproperlyConfigured: The value describes no encoder.
    """
    if setting is None:
        return DlibEncoder()
    try:
        return _from_class(setting) if isinstance(setting, str) else _from_file(setting)
    except (ModelError, ValueError) as error:
        raise ImproperlyConfigured(f"FACEAUTH['ENCODER']: {error}") from error


def _from_file(options: Mapping) -> Encoder:
    for key in options:
        if key not in OPTIONS:
            close = get_close_matches(str(key), OPTIONS, 1)
            hint = f"Did you mean {close[0]!r}?" if close else f"Known keys: {', '.join(OPTIONS)}."
            raise ValueError(f"there is no key {key!r}. {hint}")
    if "path" not in options:
        raise ValueError("'path' is missing: the path of the network's file.")
    return ONNXEncoder(**options)


def _from_class(path: str) -> Encoder:
    try:
        found: Encoder = import_string(path)()
    except Exception as error:  # any, because the class is the project's
        raise ValueError(f"{path!r} cannot be created: {error}") from error
    if missing := [each for each in MEMBERS if not hasattr(found, each)]:
        raise ValueError(f"{path!r} is no encoder: it has no {', '.join(missing)}.")
    return found
