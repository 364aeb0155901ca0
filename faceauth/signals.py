"""What happens when somebody has logged in by face."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import load_backend
from django.contrib.auth.signals import user_logged_in
from django.dispatch import receiver
from django.utils import timezone

from .backends import FaceBackend
from .models import FaceTemplateMixin


@receiver(user_logged_in)
def remember_use(user: Any, **kwargs: Any) -> None:
    """Note on the user when the face was last used."""
    backend = getattr(user, "backend", "")
    by_face = backend and isinstance(load_backend(backend), FaceBackend)
    if by_face and isinstance(user, FaceTemplateMixin):
        user.face_last_used_at = timezone.now()
        user.save(update_fields=["face_last_used_at"])
