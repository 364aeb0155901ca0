from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from faceauth.models import FaceTemplateMixin


class FaceProfile(FaceTemplateMixin):
    """A user's face, in a row beside theirs. There is none before they have a face."""

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
        # Those of `FaceEvent` are the ones that are asked for.
        default_permissions = ()

    def __str__(self) -> str:
        return str(self.user)
