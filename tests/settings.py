"""The example site's settings, under the name they had before `tests.projects`."""

from __future__ import annotations

from tests.projects.site.settings import *  # noqa: F403
