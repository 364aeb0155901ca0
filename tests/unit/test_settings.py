"""Test the settings' documentation, and that changes take effect immediately."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import fields

import pytest
from django.test import override_settings

from docs import __main__ as docs
from faceauth import conf
from faceauth.capture import samples


def test_docs_are_as_the_settings_are():
    assert docs.PAGE.read_text() == docs.page(), "run `make docs`"


def test_the_command_writes_the_page(tmp_path):
    """Outside a project: `make docs` runs it before any settings are configured."""
    names = {name: each for name, each in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
    command = [sys.executable, "-m", "docs", str(tmp_path / "settings.md")]
    subprocess.run(command, cwd=docs.PAGE.parents[1], env=names, check=True)
    assert (tmp_path / "settings.md").read_text() == docs.page()


def test_every_key_has_a_line_in_the_docs():
    lines = docs.page().splitlines()
    for field in fields(conf.FaceAuthSettings):
        (line,) = (each for each in lines if each.startswith(f"| `{field.name}` |"))
        _, _, kind, default, words, _ = line.replace("\\|", "/").split("|")
        assert eval(default.strip().strip("`")) == field.default
        assert kind.strip()
        assert words.strip().endswith(".")


def test_changed_settings_count_at_once(settings):
    before = conf.get().failures
    with override_settings(FACEAUTH={"MAX_FAILURES": before + 1}):
        assert conf.get().failures == before + 1
    assert conf.get().failures == before
    settings.FACEAUTH = {**settings.FACEAUTH}
    settings.FACEAUTH["MAX_FAILURES"] = before + 2
    assert conf.get().failures == before + 2


@pytest.mark.parametrize("threads", [2, 3])
def test_what_is_made_from_settings_is_made_anew(threads):
    engine, free = samples.engine(), samples._turns()._free
    assert samples.engine() is engine
    with override_settings(FACEAUTH={"THREADS": threads, "MAX_CONCURRENT_LOOKS": 7}):
        assert samples.engine().threads == threads
        assert samples._turns()._free == 7
    assert samples.engine().threads == engine.threads
    assert samples._turns()._free == free
