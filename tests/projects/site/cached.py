"""The same site, which keeps its sessions in the database and in a cache."""

from __future__ import annotations

import os

from tests.projects.site.settings import *  # noqa: F403

SESSION_ENGINE = "django.contrib.sessions.backends.cached_db"
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.filebased.FileBasedCache",
        "LOCATION": os.environ["CACHE"],
    }
}
