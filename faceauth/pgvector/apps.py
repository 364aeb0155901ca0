from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class FaceVectorsConfig(AppConfig):
    """The app ``"faceauth.pgvector"``."""

    name = "faceauth.pgvector"
    label = "faceauth_pgvector"
    verbose_name = _("Face search")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from . import checks, receivers  # noqa: F401  (importing them registers them)
