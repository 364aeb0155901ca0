"""When the database cannot be reached: a clear answer in place of an error page. And the second
step, for who wants it on every page.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from django.contrib.staticfiles.views import serve
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.views import defaults

from . import faces
from .errors import Unavailable
from .http.responses import error_response
from .step_up import confirmation

DOWN = (OperationalError, InterfaceError)

# Of this app's addresses, those that the second step is made by, or that tell nothing of it.
EXEMPT = {
    *("confirm", "challenge", "preview", "login", "forget"),
    *("whoami", "notice", "health", "ready"),
}

# By what name Django's and allauth's own are known.
LOGOUT = ("logout", "account_logout")


class DatabaseDownMiddleware:
    """Answers 503 where a view or a template could not reach the database."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """None leaves the exception to Django."""
        return error_response(request, Unavailable()) if isinstance(exception, DOWN) else None


class FaceSecondStepMiddleware:
    """Shows users with a face nothing before the session has seen it, whatever else they logged in
    by: they are led to the page that asks for it, and clients that ask for JSON hear
    `face_required`. It comes after ``AuthenticationMiddleware``.

    Exempt are what it takes to show a face, static files, views to log out, and those with
    `decorators.second_step_exempt`.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        request.face_second_step = True  # type: ignore[attr-defined]
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], args: Any, kwargs: Any
    ) -> HttpResponse | None:
        """None lets the request through."""
        if not request.user.is_authenticated or self.is_exempt(request, view):
            return None
        asked = faces.of(request.user).face_is_asked_for
        if not asked or confirmation.seen(request, confirmation.FACE):
            return None
        return confirmation.ask(request, password=False)

    def is_exempt(self, request: HttpRequest, view: Callable[..., Any]) -> bool:
        """Whether the password is enough there."""
        match = request.resolver_match
        name, app = (match.url_name, match.app_names[-1:]) if match else (None, [])
        if name in LOGOUT or view is serve or getattr(view, "second_step_exempt", False):
            return True
        return app == ["faceauth"] and name in EXEMPT


def server_error(request: HttpRequest) -> HttpResponseBase:
    """For ``handler500``: the same where it was a middleware that could not."""
    if isinstance(sys.exc_info()[1], DOWN):
        return error_response(request, Unavailable())
    return defaults.server_error(request)
