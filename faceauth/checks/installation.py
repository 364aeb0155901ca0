"""Check optional and required dependencies: the networks' weights, and what METRICS needs."""

from __future__ import annotations

import os
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register

from faceauth import conf, metrics
from faceauth.vision import ModelError
from faceauth.vision.dlib_networks import INSTALL, WEIGHTS, model_path

from .settings import Configs, setting_errors


@register()
def check_networks(app_configs: Configs, **kwargs: Any) -> list[CheckMessage]:
    """Check that the weights of the networks are installed."""
    try:
        for name in WEIGHTS:
            model_path(name)
    except ModelError as error:
        return [Error(str(error), hint=INSTALL, id="faceauth.E005")]
    return []


@register()
def check_metrics(app_configs: Configs, **kwargs: Any) -> list[CheckMessage]:
    """Check that metrics are collected, and from all processes, if ``METRICS`` is on."""
    if setting_errors() or not conf.get().METRICS:
        return []
    if not metrics.installed():
        message = "FACEAUTH['METRICS'] is True, but prometheus-client is not installed."
        hint = "Run pip install prometheus-client. Until then, nothing is counted."
        return [Error(message, hint=hint, id="faceauth.E016")]
    if metrics.MULTIPROC_DIR not in os.environ and not settings.DEBUG:
        message = (
            f"FACEAUTH['METRICS'] is True, but {metrics.MULTIPROC_DIR} is not set: each process "
            "counts separately, and Prometheus reads only one of them at a time."
        )
        hint = (
            f"Set {metrics.MULTIPROC_DIR} to a folder that is empty when the site starts. If the "
            "site is a single process, add 'faceauth.W021' to SILENCED_SYSTEM_CHECKS."
        )
        return [Warning(message, hint=hint, id="faceauth.W021")]
    return []
