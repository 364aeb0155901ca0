"""The one reader of ``settings.FACEAUTH``: names, defaults, types."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured


@dataclass(frozen=True, kw_only=True)
class FaceAuthSettings:
    """Every key of ``FACEAUTH``, with its default. `conf.get()` gives those in force."""

    MAX_DISTANCE: float = 0.314
    """Euclidean distance between a template and a probe up to which they are one person. The
    default lets through one stranger in 10,000 (three shots enrolled, one shown)."""

    ENROLMENT_SHOTS: int = 3
    """How many pictures a new template is made from."""

    MAX_SNAPSHOTS: int = 6
    """How many pictures one request may carry."""

    MAX_SNAPSHOT_BYTES: int = 8 * 1024 * 1024
    """How large one uploaded picture may be."""

    MAX_UPLOAD_BYTES: int = 24 * 1024 * 1024
    """How large a whole request may be. It is kept in memory, never on disk."""

    MAX_IMAGE_PIXELS: int = 25_000_000
    """How many pixels a picture may have by its header; larger ones are refused undecoded."""

    MIN_FACE_SIZE: int = 80
    """How tall a face has to be, in pixels."""

    THREADS: int = 1
    """How many threads one look may use. More answers sooner where few people log in at once."""

    MAX_CONCURRENT_LOOKS: int | None = None
    """How many pictures one process looks at at the same time; by default one a core. Others
    wait a few seconds, then are asked to come back."""


def get() -> FaceAuthSettings:
    """The settings in force now.

    Raises:
        ImproperlyConfigured: ``FACEAUTH`` has a key that does not exist.
    """
    given: dict[str, Any] = getattr(settings, "FACEAUTH", {})
    try:
        return FaceAuthSettings(**given)
    except TypeError as error:
        raise ImproperlyConfigured(f"FACEAUTH: {error}") from error
