from __future__ import annotations

from typing import Any

import pytest

from tests.support.accounts import account


@pytest.fixture
def ada(db: None) -> Any:
    """A user with a password and without a face."""
    return account("ada")
