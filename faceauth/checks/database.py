"""Check the user model and the stored templates. Counts users for the other checks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import django.db
from django.apps import apps
from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.db.models import Q
from django.utils.module_loading import import_string

from faceauth import faces
from faceauth.backends import FaceBackend
from faceauth.recognition import encoders

from .settings import Configs, setting_errors


@register()
def check_user_model(app_configs: Configs, **kwargs: Any) -> list[CheckMessage]:
    """Check that the user model can store a face, and that the face backend is installed."""
    found: list[CheckMessage] = []
    has_profiles = apps.is_installed("faceauth.profiles")
    if faces.in_profiles() and not has_profiles:
        message = f"The user model {settings.AUTH_USER_MODEL} has no columns for a face."
        found.append(Error(message, hint=faces.NO_COLUMNS_HINT, id="faceauth.E003"))
    if has_profiles and not faces.in_profiles():
        message = (
            f"The user model {settings.AUTH_USER_MODEL} has columns for a face, so faces in "
            "'faceauth.profiles' are ignored."
        )
        hint = "Remove it from INSTALLED_APPS, or remove FaceTemplateMixin from the user model."
        found.append(Warning(message, hint=hint, id="faceauth.W022"))
    backends = [import_string(path) for path in settings.AUTHENTICATION_BACKENDS]
    if not any(issubclass(backend, FaceBackend) for backend in backends):
        message = "No backend in AUTHENTICATION_BACKENDS recognises faces."
        hint = "Add 'faceauth.backends.FaceBackend' after ModelBackend."
        found.append(Error(message, hint=hint, id="faceauth.E004"))
    return found


@register(Tags.database)
def check_encoder(
    app_configs: Configs, databases: Sequence[str] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """Check that all templates were made by the site's current encoder."""
    if setting_errors():
        return []
    everybody = count_users(databases or (), face_encodings__isnull=False)
    outdated = everybody - count_enrolled(databases or ())
    if not outdated:
        return []
    message = (
        f"{outdated:,} of {everybody:,} face templates were made by an encoder other than "
        f"{encoders.encoder().name!r}: these faces are not recognised."
    )
    hint = "Their owners are asked to enrol again when they log in with their password."
    return [Warning(message, hint=hint, id="faceauth.W017")]


def count_enrolled(databases: Sequence[str]) -> int:
    """Return the number of users whose template was made by the current encoder."""
    return count_users(databases, face_encodings__made_by=encoders.encoder().name)


def count_users(databases: Sequence[str], **conditions: Any) -> int:
    """Return the number of users that match these conditions on the columns of their face.

    Return 0 if it cannot be known: if the users' database is not one of `databases`, has no tables
    yet or cannot be reached.
    """
    if faces.in_profiles() and not apps.is_installed("faceauth.profiles"):
        return 0
    users = get_user_model()._default_manager.filter(faces.user_condition(Q(**conditions)))
    try:
        return users.count() if users.db in databases else 0
    except django.db.Error:
        return 0
