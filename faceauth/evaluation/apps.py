"""The app's configuration for ``INSTALLED_APPS``."""

from __future__ import annotations

from django.apps import AppConfig


class FaceEvaluationConfig(AppConfig):
    """The app ``faceauth.evaluation``: three commands, no models."""

    name = "faceauth.evaluation"
    label = "faceauth_evaluation"
    verbose_name = "Face login: evaluation"
