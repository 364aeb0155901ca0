"""The site's own settings in fixed surroundings, whatever a developer's .env says."""

from __future__ import annotations

import os
from pathlib import Path

os.environ.update(
    DEBUG="false",
    HTTPS="false",
    SECRET_KEY="the-tests-keep-no-secrets-and-so-this-may-be-known-to-everybody",
    # live_server answers as localhost; the last name is one that no browser trusts with a camera.
    ALLOWED_HOSTS="localhost,testserver,faceauth.test",
    CSRF_TRUSTED_ORIGINS="",
    BEHIND_PROXY="false",
    EMAIL_URL="memorymail://",
    LANGUAGE_CODE="en",
    DEFAULT_FROM_EMAIL="faceauth@example.com",
    FACEAUTH_THREADS="1",
    FACEAUTH_EVALUATION="true",
    FACEAUTH_ADMIN_LOGIN="true",
    FACEAUTH_ADMIN_SECOND_STEP="false",
    FACEAUTH_UNKNOWN_DEVICES="code",
    FACEAUTH_ENCRYPTION_KEYS="",
    FACEAUTH_TRANSFORM_KEY="",
)
os.environ.setdefault("DATABASE_URL", "sqlite:///db.sqlite3")

from config.settings import *  # noqa: E402, F403
from config.settings import BASE_DIR, FACEAUTH, STORAGES, TEMPLATES  # noqa: E402

# The site's, and a sign-up with the face.
ROOT_URLCONF = "tests.projects.site.urls"
TEMPLATES[0]["DIRS"] = [BASE_DIR / "templates", Path(__file__).parent / "templates"]

# A login in a test need not be slow to guess.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

# No page needs collectstatic here; the browser tests run it, and have the site's own storage.
COLLECTED_STATIC = STORAGES["staticfiles"]
STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}

# Most tests are about what comes after it; those of the challenge set it themselves.
FACEAUTH["CHALLENGE"] = None
# Nor about devices: those set it to its default.
FACEAUTH["UNKNOWN_DEVICES"] = "allow"
