from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_env_example_has_every_variable_that_the_settings_read():
    read = re.findall(
        r"\b(?:env\.\w+|secret)\(\"(\w+)\"", (ROOT / "config/settings.py").read_text()
    )
    composed = set(re.findall(r"\$\{(\w+)", (ROOT / "compose.yaml").read_text()))
    example = re.findall(r"^(\w+)=", (ROOT / ".env.example").read_text(), re.MULTILINE)

    assert sorted(example) == sorted([*read, *composed])
