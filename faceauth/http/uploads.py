"""Requests with pictures in them: bounded, kept in memory, never written to disk."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import RequestDataTooBig
from django.core.files.uploadhandler import MemoryFileUploadHandler
from django.http import HttpRequest, HttpResponseBase
from django.views.decorators.csrf import csrf_exempt, csrf_protect

from faceauth import conf, errors, metrics

from . import json_body
from .responses import error_response

# What is read and thrown away of a request that is too large, so that the browser, still
# sending, hears the answer. Beyond it the connection is simply closed.
DRAINED_BYTES = 64 * 1024 * 1024
_CHUNK = 256 * 1024

View = Callable[..., HttpResponseBase]


class MemoryUploadHandler(MemoryFileUploadHandler):
    """Keeps every upload in memory. The size of the whole request was bounded before."""

    def handle_raw_input(self, *args: Any, **kwargs: Any) -> None:
        self.activated = True


def bounded_upload(view: View) -> View:
    """Bound the request's size before any of it is read, and keep it off the disk.

    CSRF protection stays: it has to come after, because it reads the form. The view itself says
    who has to be logged in, also where Django's ``LoginRequiredMiddleware`` does it for others.
    """
    protected = csrf_protect(view)

    @login_not_required
    @csrf_exempt
    @wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        most = conf.get().MAX_UPLOAD_BYTES
        if _length(request) > most:
            _drain(request)
            return error_response(request, errors.TooLarge())
        # No browser writes another one, and some that Python knows make text of what is none.
        request.encoding = "utf-8"
        request.upload_handlers = [MemoryUploadHandler(request)]
        try:
            if request.method == "POST" and json_body.is_json(request):
                json_body.read(request, most)
            _ = request.POST
        except errors.FaceError as error:
            return error_response(request, error)
        except RequestDataTooBig:
            return error_response(request, errors.TooLarge())
        # Django's parsers raise many kinds for what they cannot read, and not all become answers.
        except Exception:
            return error_response(request, errors.FaceError())
        return protected(request, *args, **kwargs)

    return metrics.count_requests(wrapped)


def _length(request: HttpRequest) -> int:
    try:
        return int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError:
        return 0


def _drain(request: HttpRequest) -> None:
    left = min(_length(request), DRAINED_BYTES)
    while left > 0 and (read := len(request.read(min(left, _CHUNK)))):
        left -= read
