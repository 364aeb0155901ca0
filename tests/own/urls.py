from __future__ import annotations

from tests.stock.urls import urlpatterns

__all__ = ["urlpatterns"]
