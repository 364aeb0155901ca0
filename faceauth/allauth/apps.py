from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class FaceAuthAllauthConfig(AppConfig):
    """Face login for a site with django-allauth.

    Put it before ``"allauth.account"``, because it extends that app's login page.
    """

    name = "faceauth.allauth"
    label = "faceauth_allauth"
    verbose_name = _("Face login with django-allauth")

    def ready(self) -> None:
        """Connect the app to allauth's signals."""
        from . import receivers  # noqa: F401  (importing it connects it)
