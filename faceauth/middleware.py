"""Middleware: a clear answer while the database is down, and the second step for every page."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from django.contrib.sessions.exceptions import SessionInterrupted
from django.contrib.staticfiles.views import serve
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.views import defaults

from . import faces
from .errors import Unavailable
from .http.responses import error_response
from .step_up import confirmation

DOWN = (OperationalError, InterfaceError)

# This app's URL names that the second step needs, or that reveal nothing about the user.
EXEMPT = {
    *("confirm", "frames", "login", "revoke_by_mail"),
    *("whoami", "notice", "health", "ready"),
    *("plan_removal", "cancel_by_mail"),
}

# The URL names of Django and of allauth.
LOGOUT = ("logout", "account_logout")


class DatabaseDownMiddleware:
    """Answer 503 if a view or a template could not reach the database."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Return the answer, or None to leave the exception to Django."""
        return error_response(request, Unavailable()) if isinstance(exception, DOWN) else None


class FaceSecondStepMiddleware:
    """Require users with a face to show it once per session, whichever way they logged in.

    Users are redirected to the page that asks for their face; clients that ask for JSON get the
    error `face_required`. Put it after ``AuthenticationMiddleware``.

    The views that show a face, static files, views that log out, and views with
    `decorators.second_step_exempt` are exempt.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        request.face_second_step = True  # type: ignore[attr-defined]
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], args: Any, kwargs: Any
    ) -> HttpResponse | None:
        """Return the answer that asks for the face, or None to let the request through."""
        if not request.user.is_authenticated or self.is_exempt(request, view):
            return None
        asked = faces.of(request.user).face_is_asked_for
        if not asked or confirmation.seen(request, confirmation.FACE):
            return None
        return confirmation.ask_to_confirm(request, password=False)

    def is_exempt(self, request: HttpRequest, view: Callable[..., Any]) -> bool:
        """Return True if the view does not need the second step."""
        match = request.resolver_match
        name, app = (match.url_name, match.app_names[-1:]) if match else (None, [])
        if name in LOGOUT or view is serve or getattr(view, "second_step_exempt", False):
            return True
        return app == ["faceauth"] and name in EXEMPT


def server_error(request: HttpRequest) -> HttpResponseBase:
    """Answer 503 if a middleware could not reach the database. Use it as ``handler500``."""
    if isinstance(sys.exc_info()[1], DOWN):
        return error_response(request, Unavailable())
    return defaults.server_error(request)


def session_not_saved(request: HttpRequest, exception: Exception) -> HttpResponse | None:
    """Return the 503 if a session could not be saved because the database is down, else None.

    Django reports such a session as interrupted, with 400, as if it had been deleted meanwhile. Use
    it in your ``handler400``.
    """
    if not isinstance(exception, SessionInterrupted):
        return None
    # Raised for the session's UpdateError, which was raised for the database's error.
    cause = exception.__context__ and exception.__context__.__context__
    return error_response(request, Unavailable()) if isinstance(cause, DOWN) else None
