from __future__ import annotations

from tests.stock.conftest import empty_gallery, send

__all__ = ["empty_gallery", "send"]
