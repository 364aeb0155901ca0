"""Set up Django with the settings of the tests. Import it before anything that needs Django."""

from __future__ import annotations

import os
from pathlib import Path

import django

# No static files are needed, but WhiteNoise wants an existing folder.
os.environ.setdefault("STATIC_ROOT", str(Path(__file__).parent))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.projects.site.settings")
django.setup()
