"""Set up a Django project in which the modules of the reference can be imported."""

from __future__ import annotations

import django
from django.conf import settings


def setup() -> None:
    """Configure Django's settings and load the apps, unless this was done before."""
    if not settings.configured:
        settings.configure(
            SECRET_KEY="not secret: only for building the docs",
            INSTALLED_APPS=[
                "django.contrib.admin",
                "django.contrib.auth",
                "django.contrib.contenttypes",
                "django.contrib.sessions",
                "django.contrib.messages",
                "faceauth",
                "faceauth.profiles",
            ],
            USE_I18N=False,
        )
        django.setup()
