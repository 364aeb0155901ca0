"""Options, groups and the database of the tests.

`--database=postgres` has to choose before Django reads its settings. With pytest-xdist, the
controller starts the one PostgreSQL server, and each worker has a database of its own in it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

from tests.support import postgres

pytest_plugins = ["tests.support.memo", "tests.support.timings"]

# Tells workers why their controller has no PostgreSQL.
UNAVAILABLE = "FACEAUTH_TESTS_WITHOUT_POSTGRES"

# Their tests are marked `slow`, except those marked `smoke`. One worker runs all of such a folder:
# there is one browser and one webcam, and what measures time and memory must not run twice at once.
APART = ("tests/browser/", "tests/package/", "tests/robustness/")


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
    """Skip rather than test on another database than the one asked for; mark tests `slow`."""
    for item in items:
        if message := os.environ.get(UNAVAILABLE):
            item.add_marker(pytest.mark.skip(reason=message))
        if item.nodeid.startswith(APART) and not item.get_closest_marker("smoke"):
            item.add_marker(pytest.mark.slow)


class Scheduler(LoadScopeScheduling):  # type: ignore[misc]
    """Give each worker of pytest-xdist a file at a time, or a folder of `APART`.

    pytest-xdist's own loadgroup needs a part of pytest that pytest 9.2 no longer has.
    """

    def _split_scope(self, nodeid: str) -> str:
        folders = (folder for folder in APART if nodeid.startswith(folder))
        return next(folders, nodeid.partition("::")[0])


@pytest.hookimpl
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Scheduler:
    return Scheduler(config, log)


def _start_postgres() -> None:
    try:
        os.environ["DATABASE_URL"] = postgres.start()
    except postgres.Unavailable as error:
        message = f"PostgreSQL cannot be had: {error}"
        if os.environ.get("CI") == "true":
            raise pytest.UsageError(message) from error
        os.environ[UNAVAILABLE] = message
