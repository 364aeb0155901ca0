from __future__ import annotations

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import models
from django.utils.translation import gettext_lazy as _

try:
    from pgvector.django import VectorField
except ImportError as error:
    raise ImproperlyConfigured(
        "faceauth.pgvector needs two more packages: pip install 'faceauth[pgvector]'"
    ) from error


class FaceVector(models.Model):
    """The vector by which a user's face is found.

    The decision does not use it: that compares the encodings, which are encrypted. A database
    can't search encrypted data, so the template is transformed by a matrix that only this site
    has, which preserves distances: see `encryption.crypto.search_key`. That is obfuscation: about
    80 templates that are known in both forms give the matrix away, and with it all others.
    """

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        models.CASCADE,
        primary_key=True,
        related_name="+",
        verbose_name=_("user"),
    )
    # The size is not fixed, because another encoder can have another.
    vector = VectorField(editable=False)
    margin = models.FloatField(editable=False)
    shots = models.PositiveIntegerField(editable=False)
    # The face is flagged as a look-alike, so a face without a username is not compared with it.
    flagged = models.BooleanField(editable=False)
    # The face's `face_changed_at` and the site's `gallery.space` when the vector was made. If one
    # of them differs now, the vector is made again.
    made_of = models.DateTimeField(editable=False)
    space = models.CharField(max_length=16, editable=False)

    objects: models.Manager[FaceVector] = models.Manager()

    class Meta:
        verbose_name = _("face vector")
        verbose_name_plural = _("face vectors")
        # Only the search uses these rows.
        default_permissions = ()

    def __str__(self) -> str:
        return str(self.pk)
