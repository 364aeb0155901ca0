from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

from django.core.wsgi import get_wsgi_application
from django.utils.http import parse_header_parameters

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

_django = get_wsgi_application()

# A worker that takes requests has its networks loaded: nobody waits for them.
from faceauth.capture.samples import engine  # noqa: E402

engine().load()


def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """Django's, which fails over some of what only an attacker sends instead of refusing it: a body
    that cannot be read as a form is none, and cookies that no browser has been given are none.
    """
    if not _readable(environ.get("CONTENT_TYPE", "")):
        environ["CONTENT_TYPE"] = ""
    # Unquoted it is a NUL, which PostgreSQL does not look for: not even as a session's key.
    if r"\000" in environ.get("HTTP_COOKIE", ""):
        environ["HTTP_COOKIE"] = ""
    return _django(environ, start_response)


def _readable(content_type: str) -> bool:
    try:
        _, parameters = parse_header_parameters(content_type)
    except Exception:  # Python's parser of such headers has faults of its own
        return False
    return parameters.get("charset", "utf-8").lower() == "utf-8"
