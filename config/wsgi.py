from __future__ import annotations

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

application = get_wsgi_application()

# A worker that takes requests has its networks loaded: nobody waits for them.
from faceauth.capture import engine  # noqa: E402

engine().load()
