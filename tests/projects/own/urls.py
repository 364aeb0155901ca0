from __future__ import annotations

from tests.projects.stock.urls import urlpatterns

__all__ = ["urlpatterns"]
