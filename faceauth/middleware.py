"""When the database cannot be reached: a clear answer in place of an error page."""

from __future__ import annotations

import sys
from collections.abc import Callable

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.views import defaults

from .errors import Unavailable
from .responses import error_response

DOWN = (OperationalError, InterfaceError)


class DatabaseDownMiddleware:
    """Answers 503 where a view or a template could not reach the database."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """None leaves the exception to Django."""
        return error_response(request, Unavailable()) if isinstance(exception, DOWN) else None


def server_error(request: HttpRequest) -> HttpResponseBase:
    """For ``handler500``: the same where it was a middleware that could not."""
    if isinstance(sys.exc_info()[1], DOWN):
        return error_response(request, Unavailable())
    return defaults.server_error(request)
