"""A project with django-allauth, as its quick start has it, that follows our documentation."""

from __future__ import annotations

from tests.projects.stock.settings import *  # noqa: F403
from tests.projects.stock.settings import FACEAUTH, INSTALLED_APPS, MIDDLEWARE
from tests.support.projects import follow

INSTALLED_APPS = [
    *[each for each in INSTALLED_APPS if not each.startswith("faceauth")],
    "allauth",
    "allauth.account",
]
MIDDLEWARE = [*MIDDLEWARE, "allauth.account.middleware.AccountMiddleware"]
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
ROOT_URLCONF = "tests.projects.allauth.urls"
ALLOWED_HOSTS = ["localhost", "testserver"]
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"

follow("installation.md", "With django-allauth", "mysite/settings.py", globals())
follow("passkeys.md", "With django-allauth", "mysite/settings.py", globals())

follow("passkeys.md", "Trusting the browser", "mysite/settings.py", globals())

# Most tests are about what comes after it.
FACEAUTH = {**FACEAUTH, "CHALLENGE": None}
# Beside passkeys: the tests of second steps need no browser then.
MFA_SUPPORTED_TYPES = ["webauthn", "recovery_codes", "totp"]
MFA_TOTP_TOLERANCE = 1
