"""The example site, with a gallery that PostgreSQL searches."""

from __future__ import annotations

from tests.projects.site.settings import *  # noqa: F403
from tests.projects.site.settings import INSTALLED_APPS as SITES_APPS

INSTALLED_APPS = [*SITES_APPS, "faceauth.pgvector"]
