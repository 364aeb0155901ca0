"""The site's fixtures: here too its faces are in its users' rows."""

from __future__ import annotations

import pytest
from django.core.management import call_command

from tests.site.conftest import ask, empty_gallery, enrolled, obama, upload


@pytest.fixture
def unindexed(transactional_db: None) -> None:
    """No index from a test before."""
    call_command("migrate", "faceauth_pgvector", "zero", verbosity=0)
    call_command("migrate", verbosity=0)


__all__ = ["ask", "empty_gallery", "enrolled", "obama", "upload"]
