"""The example site as `benchmarks.load` has gunicorn serve it."""

from __future__ import annotations

import json
import os

from django.conf import settings

from config.wsgi import application
from faceauth.liveness import replay

__all__ = ["application"]

settings.FACEAUTH.update(json.loads(os.environ["LOAD_SETTINGS"]))
# As in the benchmark itself, which sets the passwords: they are no part of a login by face.
settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
# A few photos stand for everybody, so each login looks like a film of an earlier one. They are
# compared, and none is near enough.
replay.WITHIN = 0.0
