"""Delete a user's vector together with the template that it was made from."""

from __future__ import annotations

from typing import Any

from django.dispatch import receiver

from faceauth.signals import face_template_changed

from .models import FaceVector


@receiver(face_template_changed)
def forget(user: Any, **kwargs: Any) -> None:
    """Delete the vector of the template before the change."""
    FaceVector.objects.filter(pk=user.pk).delete()
