"""Options of the tests. `--database=postgres` has to choose before Django reads its settings."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.support import postgres

pytest_plugins = ["tests.support.memo"]

unavailable = pytest.StashKey[str]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--database",
        choices=["sqlite", "postgres"],
        default="sqlite",
        help="what the site keeps its data in during the tests (default: %(default)s)",
    )
    parser.addoption(
        "--stress",
        action="store_true",
        help="run the tests of robustness for minutes instead of seconds",
    )


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> Iterator[None]:
    """Come before pytest-django, which loads the settings in the same hook."""
    os.environ["DATABASE_URL"] = "sqlite:///db.sqlite3"
    if early_config.known_args_namespace.database == "postgres":
        try:
            os.environ["DATABASE_URL"] = postgres.start()
        except postgres.Unavailable as error:
            message = f"PostgreSQL cannot be had: {error}"
            if os.environ.get("CI") == "true":
                raise pytest.UsageError(message) from error
            early_config.stash[unavailable] = message
    return (yield)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Skip rather than test on another database than the one asked for."""
    if message := config.stash.get(unavailable, None):
        for item in items:
            item.add_marker(pytest.mark.skip(reason=message))
