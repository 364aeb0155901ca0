"""The WSGI application, with the networks loaded."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

from django.core.wsgi import get_wsgi_application
from django.utils.http import parse_header_parameters

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

_django = get_wsgi_application()

# Load the networks before the worker takes requests, so that no visitor waits for them.
from faceauth.capture.samples import engine  # noqa: E402

engine().load()


def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """Call Django, after removing what makes it fail and what no browser sends.

    A body that cannot be read as a form is treated as no form, and cookies with a NUL as no
    cookies.
    """
    if not _readable(environ.get("CONTENT_TYPE", "")):
        environ["CONTENT_TYPE"] = ""
    # Unquoted, this is a NUL. PostgreSQL raises an error if a session key contains one.
    if r"\000" in environ.get("HTTP_COOKIE", ""):
        environ["HTTP_COOKIE"] = ""
    return _django(environ, start_response)


def _readable(content_type: str) -> bool:
    """Return True if the content type can be parsed, and the charset is UTF-8."""
    try:
        _, parameters = parse_header_parameters(content_type)
    except Exception:  # Python's header parser raises various errors
        return False
    return parameters.get("charset", "utf-8").lower() in ("utf-8", "utf8")
