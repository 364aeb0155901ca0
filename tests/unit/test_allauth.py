"""The use of django-allauth's internals."""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path
from types import ModuleType

import pytest
from django.core.exceptions import ImproperlyConfigured

from faceauth.allauth.internals import TESTED_VERSIONS, import_record_authentication

ROOT = Path(__file__).parents[2]
MODULE = "allauth.account.internal.flows.login"


@pytest.mark.parametrize("module", [None, ModuleType(MODULE)], ids=["no module", "no function"])
def test_allauth_without_the_function_is_an_error_that_names_the_tested_versions(
    monkeypatch, module
):
    monkeypatch.setitem(sys.modules, MODULE, module)
    with pytest.raises(ImproperlyConfigured, match="It was tested with django-allauth") as caught:
        import_record_authentication()
    assert TESTED_VERSIONS in str(caught.value)


def test_function_is_returned(monkeypatch):
    module = ModuleType(MODULE)
    module.record_authentication = print
    monkeypatch.setitem(sys.modules, MODULE, module)
    assert import_record_authentication() is print


def test_versions_are_the_ones_that_are_installed_for_the_tests():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert f"django-allauth[mfa]{TESTED_VERSIONS}" in project["optional-dependencies"]["dev"]
