"""`python -m tests.support.javascript` runs the tests in tests/js, which need no browser."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).parents[1] / "js"


def node() -> str | None:
    """Return the path of Node.js: this machine's, or the one that Playwright's driver brings."""
    if found := shutil.which("node"):
        return found
    try:
        from playwright._impl._driver import compute_driver_executable
    except ImportError:
        return None
    bundled = str(compute_driver_executable()[0])
    works = (
        Path(bundled).exists()
        and not subprocess.run([bundled, "--version"], capture_output=True).returncode
    )
    return bundled if works else None


def main() -> int:
    found = node()
    if found is None:
        print("Without tests of JavaScript: there is no Node.js here.", file=sys.stderr)
        return int(os.environ.get("CI") == "true")
    files = sorted(map(str, FOLDER.glob("*.test.mjs")))
    return subprocess.run([found, "--test", "--test-reporter=dot", *files]).returncode


if __name__ == "__main__":
    sys.exit(main())
