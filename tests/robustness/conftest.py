from __future__ import annotations

from pathlib import Path

import pytest


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """There is no server to stop but PostgreSQL's."""
    elsewhere = config.getoption("database") != "postgres"
    return True if elsewhere and collection_path.name == "test_database_down.py" else None


@pytest.fixture(scope="session")
def stress(pytestconfig: pytest.Config) -> bool:
    """Whether to take minutes: `pytest tests/robustness --stress`."""
    return bool(pytestconfig.getoption("stress"))
