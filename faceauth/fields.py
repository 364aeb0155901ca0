"""A database field for encodings."""

from __future__ import annotations

import base64
import logging
from typing import Any

import numpy as np
from django.core.exceptions import ValidationError
from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils.translation import gettext_lazy as _
from numpy.typing import NDArray

Encodings = NDArray[np.float32]

logger = logging.getLogger(__name__)

SIZE = 128
_VERSION = b"\x01"


class UnreadableEncodings(bytes):
    """What the database holds where that is no encodings: kept as it is, matched with nothing."""


class EncodingsField(models.BinaryField):
    """Encodings of one person, float32 (n, 128), in a binary column.

    Stored as a version byte and little-endian numbers, row after row.
    """

    description = _("Face encodings")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("editable", False)
        super().__init__(*args, **kwargs)

    def from_db_value(
        self, value: bytes | memoryview | None, expression: Any, connection: BaseDatabaseWrapper
    ) -> Encodings | UnreadableEncodings | None:
        return None if value is None else unpack(bytes(value))

    def to_python(self, value: Any) -> Encodings | UnreadableEncodings | None:
        """From a fixture's base64, or from any (n, 128) of numbers.

        Raises:
            ValidationError: `value` is no encodings.
        """
        if value is None or isinstance(value, UnreadableEncodings):
            return value
        if isinstance(value, str):
            return unpack(base64.b64decode(value))
        return checked(value)

    def get_prep_value(self, value: Any) -> bytes | None:
        if value is None or isinstance(value, UnreadableEncodings):
            return value
        return pack(value)

    def value_to_string(self, obj: models.Model) -> str:
        value = self.get_prep_value(self.value_from_object(obj))
        return "" if value is None else base64.b64encode(value).decode("ascii")


def checked(value: Any) -> Encodings:
    """`value` as float32 (n, 128).

    Raises:
        ValidationError: it has another shape, holds nothing, or numbers that are not finite.
    """
    try:
        encodings = np.asarray(value, np.float32)
    except (TypeError, ValueError) as error:
        raise ValidationError(_("These are no face encodings."), code="encodings") from error
    if encodings.ndim != 2 or encodings.shape[1] != SIZE or not len(encodings):
        raise ValidationError(_("Face encodings are rows of 128 numbers."), code="encodings")
    if not np.isfinite(encodings).all() or not encodings.any(axis=1).all():
        raise ValidationError(_("Face encodings are finite and not zero."), code="encodings")
    return encodings


def pack(value: Any) -> bytes:
    """Encodings (n, 128) as bytes.

    Raises:
        ValidationError: they are not, see `checked`.
    """
    return _VERSION + checked(value).astype("<f4").tobytes()


def unpack(data: bytes) -> Encodings | UnreadableEncodings:
    """The encodings in `data`; what is none comes back as `UnreadableEncodings`, logged."""
    try:
        if data[:1] != _VERSION:
            raise ValueError
        return checked(np.frombuffer(data, "<f4", offset=1).reshape(-1, SIZE))
    except (ValueError, ValidationError):
        logger.error("A stored face template is unreadable and was left out.")
        return UnreadableEncodings(data)
