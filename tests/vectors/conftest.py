"""The fixtures of the site, whose faces are in the rows of its users."""

from __future__ import annotations

import pytest
from django.core.management import call_command


@pytest.fixture
def unindexed(transactional_db: None) -> None:
    """Drop the index of an earlier test."""
    call_command("migrate", "faceauth_pgvector", "zero", verbosity=0)
    call_command("migrate", verbosity=0)
