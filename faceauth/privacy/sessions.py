"""Retention of sessions: find those in the database that have expired or whose users are deleted.

Django deletes neither by itself. The session of a deleted user logs nobody in, but it still tells
that there was such a user.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from typing import Any

from django.conf import settings
from django.contrib.auth import SESSION_KEY, get_user_model
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.utils import timezone

from faceauth.db import batches


def model() -> Any:
    """Return the model of the sessions, or None if they are not in the database."""
    store = import_module(settings.SESSION_ENGINE).SessionStore
    return store.get_model_class() if hasattr(store, "get_model_class") else None


def expired(sessions: Any) -> QuerySet:
    """Return the sessions of this model that have expired."""
    return sessions._default_manager.filter(expire_date__lt=timezone.now())


def of_deleted_users(sessions: Any) -> Iterator[list[str]]:
    """Yield the keys of those sessions of this model whose user was deleted, in batches."""
    live = sessions._default_manager.filter(expire_date__gte=timezone.now())
    key = get_user_model()._meta.pk
    for batch in batches(live):
        user_of = {}
        for session in batch:
            try:
                user_of[session.pk] = key.to_python(session.get_decoded()[SESSION_KEY])
            except (KeyError, ValidationError):
                continue  # nobody is logged in, or SECRET_KEY has changed since
        users = get_user_model()._base_manager.filter(pk__in={*user_of.values()})
        known = {*users.values_list("pk", flat=True)}
        yield [session for session, user in user_of.items() if user not in known]
