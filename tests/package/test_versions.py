"""`make test-all`: with every Python and Django that the package says it is for."""

from __future__ import annotations

import re
import tomllib
from itertools import product

from packaging.requirements import Requirement

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
    assert set(noxfile.VERSIONS) == every - {("3.11", "6.0"), ("3.11", "6.1")}


def test_locked_versions_are_those_that_the_site_asks_for():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    needed = [*project["dependencies"], *project["optional-dependencies"]["postgres"]]
    lines = (ROOT / "requirements.txt").read_text().splitlines()
    needed += [line for line in lines if line and line[0] not in "-#"]
    text = (ROOT / "requirements.lock").read_text()
    locked = re.findall(r"^([\w-]+)==(\S+)(?: ;.*)? \\\n    --hash=sha256:", text, re.MULTILINE)
    assert len(locked) == len(re.findall(r"^\w", text, re.MULTILINE))  # each has its hashes
    for requirement in map(Requirement, needed):
        versions = [version for name, version in locked if name == requirement.name]
        assert versions, requirement.name
        assert all(requirement.specifier.contains(each) for each in versions), requirement.name
