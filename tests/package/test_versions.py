"""`make test-all`: with every Python and Django that the package says it is for."""

from __future__ import annotations

import tomllib
from itertools import product

import noxfile
from tests.package.conftest import ROOT


def test_every_version_is_tested_with_every_other_that_it_fits():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    versions = {"Python": set(), "Django": set()}
    for each in project["classifiers"]:
        *_, name, version = each.split(" :: ")
        if name in versions and "." in version:
            versions[name].add(version)
    every = set(product(versions["Python"], versions["Django"]))
    assert set(noxfile.VERSIONS) == every - {("3.11", "6.1")}
