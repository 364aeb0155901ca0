from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class FaceAuthAllauthConfig(AppConfig):
    """Face login for a site of django-allauth.

    Stands before ``"allauth.account"``, to whose login page it adds.
    """

    name = "faceauth.allauth"
    label = "faceauth_allauth"
    verbose_name = _("Face login with django-allauth")
