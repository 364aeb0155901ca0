from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class FaceAuthConfig(AppConfig):
    name = "faceauth"
    verbose_name = _("Face login")

    def ready(self) -> None:
        from . import checks, signals  # noqa: F401  (they register themselves)
