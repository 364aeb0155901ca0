"""Answers as JSON for scripts and as pages for people, from one place."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string

from faceauth import conf
from faceauth.errors import FaceError, Unavailable

from . import json_body


def wants_json(request: HttpRequest) -> bool:
    """Return True if the client sends JSON, or prefers it to a page."""
    if json_body.is_json(request):
        return True
    preferred = request.get_preferred_type(["text/html", "application/json"])
    return preferred == "application/json"


def tell(request: HttpRequest, level: int, message: str) -> None:
    """Add a message for the next page, unless ``MESSAGES`` is off."""
    if conf.get().MESSAGES:
        messages.add_message(request, level, message, fail_silently=True)


def error_response(request: HttpRequest, error: FaceError, **more: Any) -> HttpResponse:
    """Return the error alone, as JSON or as a small page.

    Args:
        request: The request that failed.
        error: What went wrong.
        **more: Further keys of the JSON's ``error`` object.
    """
    response: HttpResponse
    if wants_json(request):
        response = JsonResponse(error.as_json(**more), status=error.status)
    else:
        context = {"error": error, "message": error.messages[0]}
        # Without a request, the page needs no session and so no database.
        page_request = None if isinstance(error, Unavailable) else request
        page = render_to_string("faceauth/error.html", context, page_request)
        response = HttpResponse(page, status=error.status)
    return with_retry_after(response, error)


def with_retry_after(response: HttpResponse, error: FaceError) -> HttpResponse:
    """Add ``Retry-After`` to the response, if the error has a time to wait, and return it.

    Set the error's code as ``response.face_error`` as well, for `metrics`.
    """
    response.face_error = error.code  # type: ignore[attr-defined]
    if error.retry_after is not None:
        response["Retry-After"] = str(error.retry_after)
    return response
