"""What a login changes."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth import load_backend
from django.contrib.auth.signals import user_logged_in
from django.dispatch import receiver
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _

from . import attempts, events
from .backends import FaceBackend
from .models import FaceEvent, FaceTemplateMixin


@receiver(user_logged_in)
def note_login(user: Any, request: HttpRequest | None = None, **kwargs: Any) -> None:
    """Note when the face was last used; who came in another way may use it again."""
    backend = getattr(user, "backend", "")
    if not backend or not isinstance(load_backend(backend), FaceBackend):
        enable(request, user)
        return
    events.record(FaceEvent.Kind.LOGIN, request, user, getattr(user, "face_facts", None))
    if isinstance(user, FaceTemplateMixin):
        user.face_last_used_at = timezone.now()
        user.save(update_fields=["face_last_used_at"])


def enable(request: HttpRequest | None, user: Any) -> None:
    """Forget the failures of the user's face, and tell them where they had disabled it."""
    if not attempts.enable(user):
        return
    events.record(FaceEvent.Kind.ENABLED, request, user)
    if request is not None:
        message = _(
            "Your face could not be used to log in, because somebody was not recognised too often "
            "in a row. From now on it can be used again."
        )
        messages.warning(request, message, fail_silently=True)
