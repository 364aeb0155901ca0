from __future__ import annotations

import pytest

from faceauth.vision import Engine


@pytest.fixture(scope="session")
def engine() -> Engine:
    return Engine()
