"""Answers for scripts and for people, from one place."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string

from faceauth.errors import FaceError, Unavailable

from . import json_body


def wants_json(request: HttpRequest) -> bool:
    """Whether the client asks for JSON rather than for a page, or sends it."""
    if json_body.is_json(request):
        return True
    preferred = request.get_preferred_type(["text/html", "application/json"])
    return preferred == "application/json"


def error_response(request: HttpRequest, error: FaceError, **more: Any) -> HttpResponse:
    """The error alone, as JSON or as a small page; `more` goes into the JSON."""
    response: HttpResponse
    if wants_json(request):
        response = JsonResponse(error.as_json(**more), status=error.status)
    else:
        context = {"error": error, "message": error.messages[0]}
        # A page that is drawn for nobody in particular needs no database.
        drawn_for = None if isinstance(error, Unavailable) else request
        page = render_to_string("faceauth/error.html", context, drawn_for)
        response = HttpResponse(page, status=error.status)
    return with_retry_after(response, error)


def with_retry_after(response: HttpResponse, error: FaceError) -> HttpResponse:
    """The response with the time after which to try again, where the error has one; and with
    the error's code as ``face_error``, which `metrics` counts.
    """
    response.face_error = error.code  # type: ignore[attr-defined]
    if error.retry_after is not None:
        response["Retry-After"] = str(error.retry_after)
    return response
