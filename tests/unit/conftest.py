from __future__ import annotations

import pytest

from faceauth import checks


@pytest.fixture
def only(settings):
    """The one message of the checks that only read the settings."""

    def check(**given):
        settings.FACEAUTH = given
        errors, rates = checks.check_settings(None), checks.check_rates(None)
        (message,) = errors + rates + checks.check_periods(None)
        return message

    return check


@pytest.fixture
def write(tmp_path):
    """Write a file: its path."""

    def make(name, content):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return make
