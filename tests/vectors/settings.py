"""The site, with a search that its PostgreSQL does."""

from __future__ import annotations

from tests.settings import *  # noqa: F403
from tests.settings import INSTALLED_APPS as SITES_APPS

INSTALLED_APPS = [*SITES_APPS, "faceauth.pgvector"]
