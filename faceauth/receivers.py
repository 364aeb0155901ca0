"""Connect the app to Django's signals: logins, and accounts that are deleted."""

from __future__ import annotations

import json
from functools import reduce
from operator import or_
from typing import Any

from django.apps import apps
from django.contrib.auth import BACKEND_SESSION_KEY, get_user_model
from django.contrib.auth.signals import user_logged_in
from django.db.models import Q
from django.db.models.signals import pre_delete
from django.dispatch import receiver
from django.http import HttpRequest

from . import devices, faces, logins, users
from .audit import notifications
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
    for model in _user_models():
        pre_delete.connect(erase_user, sender=model)


def _user_models() -> list[Any]:
    """Return the user model and its proxies."""
    return [model for model in apps.get_models() if issubclass(model, get_user_model())]


def erase_user(sender: Any, instance: Any, using: str, **kwargs: Any) -> None:
    """Erase everything that identifies a user who is deleted, in the same transaction.

    The user's events stay, without the user, the network and the device. So do the entries of the
    admin's log about the user, without the name.
    """
    # A request that records an event of the user now waits, and then finds the user gone.
    row = get_user_model()._base_manager.using(using).filter(pk=instance.pk)
    row.select_for_update().values_list("pk").first()
    if faces.in_profiles():
        faces.row(instance).using(using).delete()
    export.erase(instance)
    devices.forget(instance)
    FaceEvent.objects.filter(user=instance).update(address="", device="")
    if apps.is_installed("django.contrib.admin"):
        _erase_from_admin_log(instance)


def _erase_from_admin_log(user: Any) -> None:
    """Erase the user's name from the entries about the user, or about their row for the face."""
    from django.contrib.admin.models import LogEntry
    from django.contrib.contenttypes.models import ContentType

    about = {*_user_models(), faces.model()}
    types = ContentType.objects.get_for_models(*about, for_concrete_models=False).values()
    entries = LogEntry.objects.filter(content_type__in=types, object_id=str(user.pk))
    names = {users.username(user), str(user), notifications.address_of(user)} - {""}
    # Messages name objects that were changed on the same page, which may be called like the user.
    # Most of them are JSON.
    written = {*names, *[json.dumps(name)[1:-1] for name in names]}
    naming = [Q(change_message__icontains=each) for each in written]
    entries.filter(reduce(or_, naming, Q(pk__in=()))).update(change_message="")
    entries.update(object_repr="–")
