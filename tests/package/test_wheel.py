"""What `pip install` brings."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
import zipfile
from email.parser import BytesParser

import pytest
import yaml
from trove_classifiers import classifiers

from tests.package.conftest import ROOT

pytestmark = pytest.mark.smoke

TIMES = """
import time
import django
import django.contrib.auth, django.forms, django.views.generic
began = time.process_time()
import faceauth
print(time.process_time() - began)
import sys
assert not {"cv2", "onnxruntime", "dlib", "numpy"} & set(sys.modules)
"""


@pytest.fixture
def content(wheel):
    with zipfile.ZipFile(wheel) as opened:
        yield opened


def test_version_is_written_in_one_place(wheel):
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert wheel.name.split("-")[1] == version
    assert f"\n## {version}\n" in (ROOT / "docs/changelog.md").read_text()
    assert yaml.safe_load((ROOT / "docs/openapi.yaml").read_text())["info"]["version"] == version


def test_small_and_of_one_package(wheel, content):
    assert wheel.stat().st_size < 2_500_000
    tops = {name.split("/")[0] for name in content.namelist()}
    assert tops == {"faceauth", f"faceauth-{wheel.name.split('-')[1]}.dist-info"}


def test_everything_that_is_no_python_file_is_there(content):
    there = set(content.namelist())
    kinds = ("templates", "static", "data", "locale")
    needed = {
        str(path.relative_to(ROOT))
        for path in (ROOT / "faceauth").rglob("*")
        if path.is_file() and set(kinds) & set(path.parts) and path.suffix != ".po"
    }
    assert {"faceauth/py.typed", *needed} <= there
    assert not [name for name in there if name.endswith((".po", ".pyc"))]


def test_every_module_is_there(content):
    modules = {str(path.relative_to(ROOT)) for path in (ROOT / "faceauth").rglob("*.py")}
    assert modules <= set(content.namelist())


def test_what_it_says_of_itself(wheel, content):
    checked = [sys.executable, "-m", "twine", "check", "--strict", str(wheel)]
    sdist = next(wheel.parent.glob("*.tar.gz"))
    subprocess.run([*checked, str(sdist)], check=True, capture_output=True)
    (name,) = [each for each in content.namelist() if each.endswith("/METADATA")]
    metadata = BytesParser().parsebytes(content.read(name))
    assert set(metadata.get_all("Classifier")) <= classifiers
    extras = {"postgres", "pgvector", "gpu", "eval", "metrics", "docs", "dev"}
    assert extras == set(metadata.get_all("Provides-Extra"))
    needed = {
        re.split(r"[^\w-]", each)[0]
        for each in metadata.get_all("Requires-Dist")
        if "extra ==" not in each
    }
    assert "django" in needed
    assert not {"gunicorn", "whitenoise", "django-environ", "psycopg", "face-recognition"} & needed


def test_importing_it_loads_no_network_and_takes_no_time(environment):
    took = min(float(environment.run(["python", "-c", TIMES]).stdout) for _ in range(3))
    assert took < 0.05
