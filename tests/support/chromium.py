"""A Chromium for the browser tests. `python -m tests.support.chromium` installs one if need be."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

NAMES = [
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
]

# The second is what Playwright's driver needs and the barest Debian lacks.
PACKAGES = ["chromium", "libatomic1"]
ADVICE = f"On Debian, as root: apt-get install {' '.join(PACKAGES)}"

# Quiet (the browser itself asks the network for nothing) and able to run as root, in a container.
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--force-color-profile=srgb",
]


def problem() -> str | None:
    """Say why no browser can be driven here; None where one can."""
    command = [sys.executable, "-m", "playwright", "--version"]
    driver = subprocess.run(command, capture_output=True, text=True)
    if driver.returncode:
        return f"Playwright does not run here ({driver.stderr.strip()}). {ADVICE}"
    return None if find() else f"there is no Chromium or Chrome here. {ADVICE}"


def find() -> str | None:
    """Return the path of an installed Chromium or Chrome, Playwright's own included."""
    for name in NAMES:
        if path := shutil.which(name):
            return path
    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path
    return path if Path(path).exists() else None


def install() -> None:
    """Install Chromium, and what Playwright lacks, as far as this user may."""
    if os.geteuid() == 0 and shutil.which("apt-get"):
        print("Installing Chromium for the browser tests, with apt-get", flush=True)
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        for command in ["update"], ["install", "--yes", "--no-install-recommends", *PACKAGES]:
            subprocess.run(["apt-get", "-qq", *command], env=environment, stdout=subprocess.DEVNULL)
    if problem():
        print("Downloading Chromium for the browser tests, with Playwright", flush=True)
        command = [sys.executable, "-m", "playwright", "install", "chromium"]
        subprocess.run(command, capture_output=True)


if __name__ == "__main__":
    if problem():
        install()
    if message := problem():
        print(f"Without browser tests: {message}", file=sys.stderr)
        sys.exit(1 if os.environ.get("CI") == "true" else 0)
