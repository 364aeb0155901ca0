"""A project whose user model has as little as Django allows, and whose settings are rare ones."""

from __future__ import annotations

from tests.projects.stock.settings import *  # noqa: F403
from tests.projects.stock.settings import INSTALLED_APPS, MIDDLEWARE

INSTALLED_APPS = [
    "faceauth.apps.FaceAdminConfig",
    *[each for each in INSTALLED_APPS if each not in ("django.contrib.admin", "faceauth.profiles")],
    "tests.projects.own",
]
AUTH_USER_MODEL = "own.Person"
MIDDLEWARE = [*MIDDLEWARE, "django.contrib.auth.middleware.LoginRequiredMiddleware"]
ROOT_URLCONF = "tests.projects.own.urls"
USE_TZ = False
