"""Faces in Django's admin: `FaceAdminMixin` for user admins, and lists of events and devices."""

from __future__ import annotations

from .devices import TrustedDeviceAdmin
from .events import FaceEventAdmin
from .users import FaceAdminMixin

__all__ = ["FaceAdminMixin", "FaceEventAdmin", "TrustedDeviceAdmin"]
