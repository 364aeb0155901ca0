"""Options, groups and the database of the tests.

`--database=postgres` has to choose before Django reads its settings. With pytest-xdist, the
controller starts the one PostgreSQL server, and each worker has a database of its own in it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.support import postgres

pytest_plugins = ["tests.support.memo", "tests.support.timings"]

# Tells workers why their controller has no PostgreSQL.
UNAVAILABLE = "FACEAUTH_TESTS_WITHOUT_POSTGRES"

# One process runs them all: those of the one browser and webcam, of time and memory, and those
# whose tests follow one another.
GROUPS = {
    "tests/browser/": "browser",
    "tests/package/": "package",
    "tests/robustness/": "robustness",
    "tests/site/test_server.py": "server",
}

# Their tests are marked `slow`, except those marked `smoke`.
SLOW = ("tests/browser/", "tests/package/", "tests/robustness/")


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
    if "PYTEST_XDIST_WORKER" not in os.environ:
        os.environ.pop(UNAVAILABLE, None)
        os.environ["DATABASE_URL"] = "sqlite:///db.sqlite3"
        if early_config.known_args_namespace.database == "postgres":
            _start_postgres()
    return (yield)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip rather than test on another database than the one asked for; add groups and `slow`."""
    for item in items:
        if message := os.environ.get(UNAVAILABLE):
            item.add_marker(pytest.mark.skip(reason=message))
        if item.nodeid.startswith(SLOW) and not item.get_closest_marker("smoke"):
            item.add_marker(pytest.mark.slow)
        for place, group in GROUPS.items():
            if item.nodeid.startswith(place):
                item.add_marker(pytest.mark.xdist_group(group))


def _start_postgres() -> None:
    try:
        os.environ["DATABASE_URL"] = postgres.start()
    except postgres.Unavailable as error:
        message = f"PostgreSQL cannot be had: {error}"
        if os.environ.get("CI") == "true":
            raise pytest.UsageError(message) from error
        os.environ[UNAVAILABLE] = message
