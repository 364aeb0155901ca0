"""Versions: of Python and Django, of what is locked, and of what is released."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tomllib
from itertools import product

from packaging.requirements import Requirement

import noxfile
from tests.package.conftest import ROOT, build


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


def test_list_of_what_the_image_contains_names_each_locked_package(tmp_path):
    for name in ("Makefile", "requirements.lock", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path)
    python = f"PY={sys.executable}"
    # The virtual environment is the one that runs this test.
    subprocess.run(["make", "sbom", "--old-file=.venv/.made", python], cwd=tmp_path, check=True)
    listed = json.loads((tmp_path / "dist/sbom.json").read_text())
    locked = re.findall(r"^([\w-]+)==([^\s;]+)", (tmp_path / "requirements.lock").read_text(), re.M)
    found = [(each["name"], each["version"]) for each in listed["components"]]
    assert sorted(found) == sorted(locked)
    assert listed["metadata"]["component"]["name"] == "faceauth"


def test_two_builds_give_the_same_bytes(wheel, tmp_path):
    again, later = tmp_path / "again", tmp_path / "later"
    build(again, umask=0o077)
    build(later, SOURCE_DATE_EPOCH="1800000000")
    for built in (wheel, next(wheel.parent.glob("*.tar.gz"))):
        assert (again / built.name).read_bytes() == built.read_bytes()
        # Only the time that it is told makes a difference.
        assert (later / built.name).read_bytes() != built.read_bytes()
