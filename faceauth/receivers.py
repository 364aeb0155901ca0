"""What a login changes, and what goes with an account that is deleted."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.contrib import messages
from django.contrib.auth import BACKEND_SESSION_KEY, get_user_model, load_backend
from django.contrib.auth.signals import user_logged_in
from django.db.models.signals import pre_delete
from django.dispatch import receiver
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _

from . import faces
from .audit import events
from .backends import FaceBackend
from .lockout import counters
from .models import FaceEvent
from .privacy import export
from .step_up import confirmation, second_step


@receiver(user_logged_in)
def note_login(user: Any, request: HttpRequest | None = None, **kwargs: Any) -> None:
    """Note when the face was last used; who came in another way may use it again."""
    session = getattr(request, "session", None) or {}
    # Views that log in whoever has just signed up name it to `login`, which keeps it there alone.
    backend = getattr(user, "backend", "") or session.get(BACKEND_SESSION_KEY, "")
    if backend and isinstance(load_backend(backend), FaceBackend):
        confirmation.note(request, user, confirmation.FACE)
        note_use(FaceEvent.Kind.LOGIN, request, user)
        return
    if backend:
        confirmation.note(request, user, confirmation.PASSWORD)
    enable(request, user)
    ask_again(request, user)


def note_use(kind: FaceEvent.Kind, request: HttpRequest | None, user: Any) -> None:
    """Keep what the face that `FaceBackend` has just recognised was used for, and when."""
    events.record(kind, request, user, getattr(user, "face_facts", None))
    now = faces.of(user).face_last_used_at = timezone.now()
    # Not of who has removed their face, or is gone, in this moment.
    faces.row(user).filter(face_encodings__isnull=False).update(face_last_used_at=now)


def enable(request: HttpRequest | None, user: Any) -> None:
    """Forget the failures of the face of a user who has shown who they are another way, and tell
    them where these had disabled it.
    """
    # What stands beside the password is not made up for by the password.
    if second_step.asked_of(user, request) or not counters.clear_failures(user):
        return
    events.record(FaceEvent.Kind.ENABLED, request, user)
    if request is not None:
        message = _(
            "Your face could not be used to log in, because somebody was not recognised too often "
            "in a row. From now on it can be used again."
        )
        messages.warning(request, message, fail_silently=True)


def ask_again(request: HttpRequest | None, user: Any) -> None:
    """Tell the user where their face is not recognised any more because the encoder is another."""
    if request is not None and faces.of(user).face_is_outdated:
        message = _(
            "This site recognises faces in a new way, and yours not any more. Enrol your face "
            "again to log in with it."
        )
        messages.warning(request, message, fail_silently=True)


def watch_deletions() -> None:
    """Hear of every account that is deleted; proxies of the user model send their own signals."""
    for model in apps.get_models():
        if issubclass(model, get_user_model()):
            pre_delete.connect(forget, sender=model)


def forget(sender: Any, instance: Any, using: str, **kwargs: Any) -> None:
    """Let nothing tell of a user who is deleted, in the same transaction.

    Their events stay, as those of nobody.
    """
    # Who records an event of theirs meanwhile has to wait, and then finds them gone.
    row = get_user_model()._base_manager.using(using).filter(pk=instance.pk)
    row.select_for_update().values_list("pk").first()
    if faces.in_profiles():
        faces.row(instance).using(using).delete()
    export.erase(instance)
    FaceEvent.objects.filter(user=instance).update(address="")
