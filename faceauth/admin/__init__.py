"""Faces in Django's admin: `FaceAdminMixin` for a project's user admin, and the event list."""

from __future__ import annotations

from .events import FaceEventAdmin
from .users import FaceAdminMixin

__all__ = ["FaceAdminMixin", "FaceEventAdmin"]
