"""What goes from the search in the moment in which a face goes."""

from __future__ import annotations

from typing import Any

from django.dispatch import receiver

from faceauth.signals import face_template_changed

from .models import FaceVector


@receiver(face_template_changed)
def forget(user: Any, **kwargs: Any) -> None:
    """Keep nothing that was made of the template as it was."""
    FaceVector.objects.filter(pk=user.pk).delete()
