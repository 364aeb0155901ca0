from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class FaceAuthConfig(AppConfig):
    name = "faceauth"
    default_auto_field = "django.db.models.BigAutoField"
    verbose_name = _("Face login")

    def ready(self) -> None:
        from . import checks, receivers  # noqa: F401  (they register themselves)

        receivers.watch_deletions()
