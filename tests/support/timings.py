"""How long each test took, over several runs of pytest: `--timings=FILE` adds the tests of a run.

`python -m tests.support.timings FILE` then prints each run's number of tests and the slowest tests.
"""

from __future__ import annotations

import sys
from collections import Counter, defaultdict
from pathlib import Path

import pytest

SHOWN = 20


class Timings:
    """A pytest plugin that adds a line a test to a file: seconds, the run, the test."""

    def __init__(self, path: Path, run: str) -> None:
        self._path, self._run = path, run
        self._seconds: defaultdict[str, float] = defaultdict(float)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self._seconds[report.nodeid] += report.duration

    def pytest_sessionfinish(self) -> None:
        self._path.parent.mkdir(exist_ok=True)
        with self._path.open("a") as file:
            for test, seconds in self._seconds.items():
                print(f"{seconds:.2f}", self._run, test, sep="\t", file=file)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--timings", type=Path, help="add to this file how long each test took")


def pytest_configure(config: pytest.Config) -> None:
    path = config.getoption("timings")
    # With several workers, all reports come to their controller.
    if path and not hasattr(config, "workerinput"):
        run = f"{config.getoption('ds')} on {config.getoption('database')}"
        config.pluginmanager.register(Timings(path, run))


def report(path: Path) -> str:
    """Return the number of tests of each run, and the slowest tests."""
    rows = [line.split("\t") for line in path.read_text().splitlines()]
    counts = Counter(run for _, run, _ in rows)
    lines = [f"{count:5} tests in {run}" for run, count in counts.items()]
    rows.sort(key=lambda row: -float(row[0]))
    lines += ["", f"The {SHOWN} slowest tests, in seconds:"]
    lines += [f"{float(seconds):7.1f}  {test}  ({run})" for seconds, run, test in rows[:SHOWN]]
    return "\n".join(lines)


if __name__ == "__main__":
    print(report(Path(sys.argv[1])))
