from __future__ import annotations

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import models
from django.utils.translation import gettext_lazy as _

try:
    from pgvector.django import VectorField
except ImportError as error:
    raise ImproperlyConfigured(
        "faceauth.pgvector needs two packages more: pip install 'faceauth[pgvector]'"
    ) from error


class FaceVector(models.Model):
    """What a user's face is found by. It decides nothing: that is done by the encodings, which are
    encrypted.

    A database cannot search what is encrypted. The template is turned by a matrix that only this
    site has, by which distances stay what they are: see `crypto.search_key`.
    """

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        models.CASCADE,
        primary_key=True,
        related_name="+",
        verbose_name=_("user"),
    )
    # Of no fixed length: another encoder may have another.
    vector = VectorField(editable=False)
    margin = models.FloatField(editable=False)
    shots = models.PositiveIntegerField(editable=False)
    # The face's `face_changed_at` and the site's `space` when it was made: where either is another
    # now, it is made anew.
    made_of = models.DateTimeField(editable=False)
    space = models.CharField(max_length=16, editable=False)

    objects: models.Manager[FaceVector] = models.Manager()

    class Meta:
        verbose_name = _("face vector")
        verbose_name_plural = _("face vectors")
        # Nobody but the search has to do with them.
        default_permissions = ()

    def __str__(self) -> str:
        return str(self.pk)
