from __future__ import annotations

from django.apps import AppConfig
from django.contrib.admin import apps as admin
from django.utils.translation import gettext_lazy as _


class FaceAuthConfig(AppConfig):
    """The app ``"faceauth"``."""

    name = "faceauth"
    default_auto_field = "django.db.models.BigAutoField"
    verbose_name = _("Face login")

    def ready(self) -> None:
        from . import checks, receivers  # noqa: F401  (importing them registers them)

        receivers.watch_deletions()


class FaceAdminConfig(admin.AdminConfig):
    """Replaces ``"django.contrib.admin"`` to add the face login to the admin: see `admin_site`."""

    default = False
    default_site = "faceauth.admin_site.FaceAdminSite"
