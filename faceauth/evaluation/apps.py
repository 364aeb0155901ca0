from __future__ import annotations

from django.apps import AppConfig


class FaceEvaluationConfig(AppConfig):
    name = "faceauth.evaluation"
    label = "faceauth_evaluation"
    verbose_name = "Face login: evaluation"
