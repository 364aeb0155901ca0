"""The project of `tests.stock`, with a search that its PostgreSQL does."""

from __future__ import annotations

from tests.stock.settings import *  # noqa: F403
from tests.stock.settings import INSTALLED_APPS as STOCK_APPS

INSTALLED_APPS = [*STOCK_APPS, "faceauth.pgvector"]
