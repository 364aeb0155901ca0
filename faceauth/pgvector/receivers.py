"""Replace a user's vector together with the template that it is made from."""

from __future__ import annotations

from typing import Any

from django.dispatch import receiver

from faceauth.signals import face_template_changed

from .gallery import stale_rows, update_vectors
from .models import FaceVector


@receiver(face_template_changed)
def replace_vector(user: Any, **kwargs: Any) -> None:
    """Replace the vector of the template before the change.

    If searches made it, only the first of several at once would find the user: see
    `update_vectors`.
    """
    FaceVector.objects.filter(pk=user.pk).delete()
    if stale_rows().filter(pk=user.pk).exists():
        update_vectors([user.pk])
