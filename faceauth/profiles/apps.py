from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class FaceProfilesConfig(AppConfig):
    """The app ``"faceauth.profiles"``."""

    name = "faceauth.profiles"
    label = "faceauth_profiles"
    verbose_name = _("Face login")
