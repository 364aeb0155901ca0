"""``python -m faceauth setup``: the command ``face_setup`` for a project without faceauth."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

from django.core import management

MANAGE = "manage.py"


def main() -> None:
    """Run the project's own ``manage.py``, with one more command."""
    if sys.argv[1:2] != ["setup"]:
        sys.exit("Usage: python -m faceauth setup [--write] [--no-input]")
    if not Path(MANAGE).is_file():
        sys.exit(f"There is no {MANAGE} here. Go to the folder that contains it first.")
    commands = management.get_commands
    management.get_commands = lambda: {"face_setup": "faceauth", **commands()}
    sys.argv[:2] = [MANAGE, "face_setup"]
    runpy.run_path(MANAGE, run_name="__main__")


if __name__ == "__main__":
    main()
