"""The site's settings, with metrics."""

from __future__ import annotations

from config.settings import *  # noqa: F403
from config.settings import FACEAUTH

FACEAUTH["METRICS"] = True
