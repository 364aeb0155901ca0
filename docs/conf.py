"""Configure Sphinx, which `make docs` runs to build these pages."""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path

HERE = Path(__file__).parent

sys.path.insert(0, str(HERE.parent))

from docs.project import setup as set_up_django  # noqa: E402

set_up_django()

project = "faceauth"
author = "the authors of faceauth"
release = tomllib.loads((HERE.parent / "pyproject.toml").read_text("utf-8"))["project"]["version"]

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
# Allow links to headings: `security.md#settings-that-matter`.
myst_heading_anchors = 3

html_theme = "furo"
html_title = f"faceauth {release}"
html_show_sphinx = False
html_copy_source = False
html_show_sourcelink = False

autodoc_member_order = "bysource"
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented"
napoleon_numpy_docstring = False
# `name` in a docstring links to that Python object if it is on a page.
default_role = "py:obj"
