"""The stock project, with a gallery that PostgreSQL searches."""

from __future__ import annotations

from tests.projects.stock.settings import *  # noqa: F403
from tests.projects.stock.settings import INSTALLED_APPS as STOCK_APPS

INSTALLED_APPS = [*STOCK_APPS, "faceauth.pgvector"]
