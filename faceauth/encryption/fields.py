"""A model field for face encodings, which it encrypts."""

from __future__ import annotations

import base64
import logging
from dataclasses import dataclass
from typing import Any

import numpy as np
from django.core.exceptions import ValidationError
from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models.query_utils import DeferredAttribute
from django.utils.translation import gettext_lazy as _
from numpy.typing import NDArray

from faceauth.recognition import encoders

from . import crypto

Encodings = NDArray[np.float32]

logger = logging.getLogger(__name__)


class Sealed(bytes):
    """Encrypted encodings, as they are stored in the database."""


class UnreadableEncodings(bytes):
    """Stored bytes that can't be read as encodings. They are kept, and match nothing."""


@dataclass(frozen=True)
class OutdatedEncodings:
    """Encodings by another encoder than the site's. They are kept, and match nothing.

    Attributes:
        encoder: The name of the encoder that made them.
        values: Shape (n, d), float32.
    """

    encoder: str
    values: Encodings


class _DecryptOnAccess(DeferredAttribute):
    """Decrypts a value from the database when it is first accessed."""

    field: EncodingsField

    def __get__(self, instance: models.Model | None, cls: Any = None) -> Any:
        value = super().__get__(instance, cls)
        # An instance that a fixture loads has no row yet: its value is stored without being read.
        if instance is not None and isinstance(value, Sealed) and not instance._state.adding:
            value = self.field.open(instance.pk, value)
            self.__set__(instance, value)
        return value

    def __set__(self, instance: models.Model, value: Any) -> None:
        instance.__dict__[self.field.attname] = value


class EncodingsField(models.BinaryField):
    """The encodings of one person, float32 (n, d), encrypted in a binary column.

    Encodings are bound to the primary key of their row, see `crypto`. Instances hold them as
    arrays and can be saved. Without an instance, as in ``values_list()`` and ``update()``, the
    values are what `seal` returns and `open` takes.
    """

    description = _("Face encodings")
    descriptor_class = _DecryptOnAccess

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("editable", False)
        super().__init__(*args, **kwargs)

    def deconstruct(self) -> Any:
        """Deconstruct as a plain BinaryField, so that migrations still run without this app."""
        name, _path, args, kwargs = super().deconstruct()
        return name, "django.db.models.BinaryField", args, kwargs

    def seal(self, key: Any, value: Any) -> bytes | None:
        """Encrypt encodings for the row with this primary key.

        Args:
            key: The primary key of the row.
            value: Encodings (n, d), or `OutdatedEncodings`. None, and values that are encrypted
                already or unreadable, are returned unchanged.

        Raises:
            ValidationError: The value is not valid encodings.
            ValueError: The row has no primary key yet.
        """
        if value is None or isinstance(value, Sealed | UnreadableEncodings):
            return value
        if isinstance(value, OutdatedEncodings):
            name, encodings = value.encoder, value.values
        else:
            name, encodings = encoders.encoder().name, validate(value)
        if key is None:
            raise ValueError(
                "Face encodings are encrypted for the primary key of their row: save the row "
                "first, then give it a face."
            )
        return Sealed(crypto.seal(encodings, self._binding(key), name))

    def open(self, key: Any, blob: bytes) -> Encodings | OutdatedEncodings | UnreadableEncodings:
        """Decrypt what the row with this primary key holds.

        Returns:
            The encodings; `OutdatedEncodings` if another encoder made them; `UnreadableEncodings`,
            and an entry in the log, if they can't be read.
        """
        try:
            name, values = crypto.unseal(blob, self._binding(key))
            _check_values(values)
        except (crypto.DecryptionError, ValidationError) as error:
            known = isinstance(error, crypto.DecryptionError)
            reason = str(error) if known else "it holds no valid encodings"
            logger.error("A stored face template is unreadable and was left out: %s.", reason)
            return UnreadableEncodings(blob)
        current = encoders.encoder()
        if (name, values.shape[1]) != (current.name, current.size):
            return OutdatedEncodings(name, values)
        return values

    def pre_save(self, model_instance: models.Model, add: bool) -> bytes | None:
        return self.seal(model_instance.pk, getattr(model_instance, self.attname))

    def from_db_value(
        self, value: bytes | memoryview | None, expression: Any, connection: BaseDatabaseWrapper
    ) -> Sealed | None:
        return None if value is None else Sealed(value)

    def to_python(
        self, value: Any
    ) -> Encodings | Sealed | OutdatedEncodings | UnreadableEncodings | None:
        """Convert numbers (n, d) to an array, and a fixture's base64 to bytes that stay encrypted.

        Raises:
            ValidationError: The value is not valid encodings.
        """
        if value is None or isinstance(value, Sealed | OutdatedEncodings | UnreadableEncodings):
            return value
        if isinstance(value, str):
            return Sealed(base64.b64decode(value))
        return validate(value)

    def get_prep_value(self, value: Any) -> bytes | None:
        """Return the bytes to store.

        Raises:
            TypeError: The value is not encrypted, and there is no row to encrypt it for.
        """
        if value is None:
            return None
        if not isinstance(value, Sealed | UnreadableEncodings):
            raise TypeError(
                "Face encodings are stored by save(), or as returned by EncodingsField.seal()."
            )
        return bytes(value)

    def value_to_string(self, obj: models.Model) -> str:
        value = self.seal(obj.pk, self.value_from_object(obj))
        return "" if value is None else base64.b64encode(value).decode("ascii")

    def _binding(self, key: Any) -> bytes:
        meta = self.model._meta
        # The same for all columns of a row: the database copies enrolled encodings back.
        return f"{meta.label_lower}:face:{meta.pk.to_python(key)}".encode()


@EncodingsField.register_lookup
class BeginsWith(models.Lookup):
    """Compare the first bytes of the stored blob: ``face_encodings__begins_with=b"..."``.

    `crypto.current_header` returns the bytes to look for.
    """

    lookup_name = "begins_with"
    prepare_rhs = False

    def as_sql(self, compiler: Any, connection: BaseDatabaseWrapper) -> tuple[str, tuple[Any, ...]]:
        column, params = self.process_lhs(compiler, connection)
        head = connection.Database.Binary(self.rhs)  # type: ignore[attr-defined]
        return f"SUBSTR({column}, 1, %s) = %s", (*params, len(self.rhs), head)


@EncodingsField.register_lookup
class MadeBy(models.Lookup):
    """Compare the encoder's name in the stored blob: ``face_encodings__made_by="facenet"``."""

    lookup_name = "made_by"
    prepare_rhs = False

    def as_sql(self, compiler: Any, connection: BaseDatabaseWrapper) -> tuple[str, tuple[Any, ...]]:
        column, params = self.process_lhs(compiler, connection)
        tag = crypto.encoder_tag(self.rhs)
        value = connection.Database.Binary(tag)  # type: ignore[attr-defined]
        return f"SUBSTR({column}, {crypto.HEADER_SIZE + 1}, %s) = %s", (*params, len(tag), value)


def validate(value: Any) -> Encodings:
    """Return `value` as float32 (n, d), with the site's encoder's number of values.

    Raises:
        ValidationError: The value has another shape, is empty, or has rows that are zero or not
            finite.
    """
    try:
        encodings = np.asarray(value, np.float32)
    except (TypeError, ValueError) as error:
        message = _("This is not a list of face encodings.")
        raise ValidationError(message, code="encodings") from error
    size = encoders.encoder().size
    if encodings.ndim != 2 or encodings.shape[1] != size:
        message = _("Face encodings must be rows of %(size)d numbers.")
        raise ValidationError(message, code="encodings", params={"size": size})
    _check_values(encodings)
    return encodings


def _check_values(encodings: Encodings) -> None:
    """Raise ValidationError if there are no rows, or if a row is zero or not finite."""
    if not len(encodings) or not np.isfinite(encodings).all() or not encodings.any(axis=1).all():
        raise ValidationError(_("Face encodings must be finite and not zero."), code="encodings")
