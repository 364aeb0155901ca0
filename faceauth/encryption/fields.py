"""A database field for encodings, which are encrypted at rest."""

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
from faceauth.vision.encoding import DlibEncoder

from . import crypto

Encodings = NDArray[np.float32]

logger = logging.getLogger(__name__)

# What stands before encodings that were stored before there was encryption.
PLAIN = b"\x01"


class Sealed(bytes):
    """What the database holds, or will hold, of somebody's encodings."""


class UnreadableEncodings(bytes):
    """What the database holds where that is no encodings: kept as it is, matched with nothing."""


@dataclass(frozen=True)
class OutdatedEncodings:
    """Encodings by another encoder than the site has now: kept as they are, matched with nothing.

    encoder: its name.
    values: float32 (n, d).
    """

    encoder: str
    values: Encodings


class _Opening(DeferredAttribute):
    """Opens what came from the database where somebody looks at it first."""

    field: EncodingsField

    def __get__(self, instance: models.Model | None, cls: Any = None) -> Any:
        value = super().__get__(instance, cls)
        # What a fixture brings is stored as it is: until then it has no row that it could be of.
        if instance is not None and isinstance(value, Sealed) and not instance._state.adding:
            value = self.field.open(instance.pk, value)
            self.__set__(instance, value)
        return value

    def __set__(self, instance: models.Model, value: Any) -> None:
        instance.__dict__[self.field.attname] = value


class EncodingsField(models.BinaryField):
    """Encodings of one person, float32 (n, d), encrypted in a binary column.

    They are bound to the primary key of their row, see `crypto`: an instance has them as numbers
    and may save them; what has no instance, ``values_list()`` and ``update()``, deals in what
    `seal` gives and `open` takes.
    """

    description = _("Face encodings")
    descriptor_class = _Opening

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("editable", False)
        super().__init__(*args, **kwargs)

    def deconstruct(self) -> Any:
        """As the column that it is: migrations go on without this app when it is taken out."""
        name, _path, args, kwargs = super().deconstruct()
        return name, "django.db.models.BinaryField", args, kwargs

    def seal(self, key: Any, value: Any) -> bytes | None:
        """Encodings (n, d) as the row with that primary key has them; as it is what need not be or
        cannot be encrypted.

        Raises:
            ValidationError: these are no encodings.
            ValueError: there is no primary key yet.
        """
        if value is None or isinstance(value, Sealed | UnreadableEncodings):
            return value
        if isinstance(value, OutdatedEncodings):
            name, encodings = value.encoder, value.values
        else:
            name, encodings = encoders.encoder().name, checked(value)
        if key is None:
            raise ValueError(
                "Face encodings are encrypted for the primary key of their row: save the row "
                "first, then give it a face."
            )
        return Sealed(crypto.seal(encodings, self._binding(key), name))

    def open(self, key: Any, blob: bytes) -> Encodings | OutdatedEncodings | UnreadableEncodings:
        """What the row with that primary key has, as encodings; those of another encoder come back
        as `OutdatedEncodings`, what is none as `UnreadableEncodings`, logged.
        """
        try:
            if blob.startswith(PLAIN):
                name = DlibEncoder.name
                values = np.frombuffer(blob, "<f4", offset=1).reshape(-1, DlibEncoder.size)
            else:
                name, values = crypto.unseal(blob, self._binding(key))
            now = encoders.encoder()
            if (name, values.shape[1]) != (now.name, now.size):
                return OutdatedEncodings(name, _sound(values))
            return _sound(values)
        except (ValueError, ValidationError):
            logger.error("A stored face template is unreadable and was left out.")
            return UnreadableEncodings(blob)

    def pre_save(self, model_instance: models.Model, add: bool) -> bytes | None:
        return self.seal(model_instance.pk, getattr(model_instance, self.attname))

    def from_db_value(
        self, value: bytes | memoryview | None, expression: Any, connection: BaseDatabaseWrapper
    ) -> Sealed | None:
        return None if value is None else Sealed(value)

    def to_python(
        self, value: Any
    ) -> Encodings | Sealed | OutdatedEncodings | UnreadableEncodings | None:
        """From a fixture's base64, which stays sealed, or from any (n, d) of numbers.

        Raises:
            ValidationError: `value` is no encodings.
        """
        if value is None or isinstance(value, Sealed | OutdatedEncodings | UnreadableEncodings):
            return value
        if isinstance(value, str):
            return Sealed(base64.b64decode(value))
        return checked(value)

    def get_prep_value(self, value: Any) -> bytes | None:
        """
        Raises:
            TypeError: `value` is not sealed, and here is no row to seal it for.
        """
        if value is None:
            return None
        if not isinstance(value, Sealed | UnreadableEncodings):
            raise TypeError("Face encodings are stored by save(), or as EncodingsField.seal gives.")
        return bytes(value)

    def value_to_string(self, obj: models.Model) -> str:
        value = self.seal(obj.pk, self.value_from_object(obj))
        return "" if value is None else base64.b64encode(value).decode("ascii")

    def _binding(self, key: Any) -> bytes:
        meta = self.model._meta
        # The same for all columns of a row: what was enrolled is copied back by the database.
        return f"{meta.label_lower}:face:{meta.pk.to_python(key)}".encode()


@EncodingsField.register_lookup
class BeginsWith(models.Lookup):
    """``face_encodings__begins_with=b"..."``: by the head of what is stored, see `crypto`."""

    lookup_name = "begins_with"
    prepare_rhs = False

    def as_sql(self, compiler: Any, connection: BaseDatabaseWrapper) -> tuple[str, tuple[Any, ...]]:
        column, params = self.process_lhs(compiler, connection)
        head = connection.Database.Binary(self.rhs)  # type: ignore[attr-defined]
        return f"SUBSTR({column}, 1, %s) = %s", (*params, len(self.rhs), head)


@EncodingsField.register_lookup
class MadeBy(models.Lookup):
    """``face_encodings__made_by="facenet"``: of the encoder with that name."""

    lookup_name = "made_by"
    prepare_rhs = False

    def as_sql(self, compiler: Any, connection: BaseDatabaseWrapper) -> tuple[str, tuple[Any, ...]]:
        column, params = self.process_lhs(compiler, connection)
        binary = connection.Database.Binary  # type: ignore[attr-defined]
        mark = crypto.encoder_tag(self.rhs)
        kind, made_by = (
            f"SUBSTR({column}, 1, 1)",
            f"SUBSTR({column}, {crypto.HEADER_SIZE + 1}, %s) = %s",
        )
        nameless = [*params, binary(PLAIN), *params, binary(crypto.DLIB_ONLY)]
        named = [*params, len(mark), binary(mark)]
        if self.rhs == DlibEncoder.name:
            return f"({kind} = %s OR {kind} = %s OR {made_by})", (*nameless, *named)
        return f"({kind} <> %s AND {kind} <> %s AND {made_by})", (*nameless, *named)


def checked(value: Any) -> Encodings:
    """`value` as float32 (n, d), with as many numbers as the site's encoder gives.

    Raises:
        ValidationError: it has another shape, holds nothing, or numbers that are not finite.
    """
    try:
        encodings = np.asarray(value, np.float32)
    except (TypeError, ValueError) as error:
        raise ValidationError(_("These are no face encodings."), code="encodings") from error
    size = encoders.encoder().size
    if encodings.ndim != 2 or encodings.shape[1] != size:
        message = _("Face encodings are rows of %(size)d numbers.")
        raise ValidationError(message, code="encodings", params={"size": size})
    return _sound(encodings)


def _sound(encodings: Encodings) -> Encodings:
    """As they are.

    Raises:
        ValidationError: there are none, or some are of numbers that are not finite, or of zeros.
    """
    if not len(encodings) or not np.isfinite(encodings).all() or not encodings.any(axis=1).all():
        raise ValidationError(_("Face encodings are finite and not zero."), code="encodings")
    return encodings
