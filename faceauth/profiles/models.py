"""The table that holds the faces of users beside the user model."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from faceauth.models import FaceTemplateMixin


class FaceProfile(FaceTemplateMixin):
    """A user's face, in a row beside the user's. It is created when the user gets a face."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        models.CASCADE,
        primary_key=True,
        related_name="face_profile",
        verbose_name=_("user"),
    )

    class Meta:
        verbose_name = _("face")
        verbose_name_plural = _("faces")
        # The permissions of `FaceEvent` are checked instead.
        default_permissions = ()

    def __str__(self) -> str:
        return str(self.user)
