"""A project whose users have several names, and whose passwords are asked for with the address."""

from __future__ import annotations

from tests.projects.stock.settings import *  # noqa: F403
from tests.projects.stock.settings import INSTALLED_APPS

INSTALLED_APPS = [
    *[each for each in INSTALLED_APPS if each != "faceauth.profiles"],
    "tests.projects.members",
]
AUTH_USER_MODEL = "members.Member"
AUTHENTICATION_BACKENDS = (  # type: ignore[assignment]
    "tests.projects.members.backends.EmailBackend",
    "faceauth.backends.FaceBackend",
)
