"""Our own project of docs/installation.md, with passkeys as docs/passkeys.md adds them."""

from __future__ import annotations

from tests.projects.stock.settings import *  # noqa: F403
from tests.projects.stock.settings import FACEAUTH, INSTALLED_APPS, TEMPLATES
from tests.support.projects import follow, templates

ROOT_URLCONF = "tests.projects.otp.urls"
ALLOWED_HOSTS = ["localhost", "testserver"]
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"

follow("passkeys.md", "With django-otp-webauthn", "mysite/settings.py", globals())

# Another second factor, which needs no browser.
INSTALLED_APPS = [*INSTALLED_APPS, "django_otp.plugins.otp_static"]

TEMPLATES = templates("passkeys.md", TEMPLATES)

follow("passkeys.md", "Trusting the browser", "mysite/settings.py", globals())

# Most tests are about what comes after it.
FACEAUTH = {**FACEAUTH, "CHALLENGE": None}
