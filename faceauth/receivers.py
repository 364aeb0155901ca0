"""Connect the app to Django's signals: logins, and accounts that are deleted."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.contrib.auth import BACKEND_SESSION_KEY, get_user_model
from django.contrib.auth.signals import user_logged_in
from django.db.models.signals import pre_delete
from django.dispatch import receiver
from django.http import HttpRequest

from . import faces, logins
from .models import FaceEvent
from .privacy import export


@receiver(user_logged_in)
def record_login(user: Any, request: HttpRequest | None = None, **kwargs: Any) -> None:
    """Record a login in `logins`."""
    session = getattr(request, "session", None) or {}
    # Not on the user if a view passes the backend to `login`; the session then has it.
    backend = getattr(user, "backend", "") or session.get(BACKEND_SESSION_KEY, "")
    logins.record_login(request, user, backend)


def watch_deletions() -> None:
    """Connect `erase_user` to the user model and to its proxies, which send their own signals."""
    for model in apps.get_models():
        if issubclass(model, get_user_model()):
            pre_delete.connect(erase_user, sender=model)


def erase_user(sender: Any, instance: Any, using: str, **kwargs: Any) -> None:
    """Erase everything that identifies a user who is deleted, in the same transaction.

    The user's events stay, without the user and the network.
    """
    # A request that records an event of the user now waits, and then finds the user gone.
    row = get_user_model()._base_manager.using(using).filter(pk=instance.pk)
    row.select_for_update().values_list("pk").first()
    if faces.in_profiles():
        faces.row(instance).using(using).delete()
    export.erase(instance)
    FaceEvent.objects.filter(user=instance).update(address="")
