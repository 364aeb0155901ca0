"""Uploads: requests that contain pictures are bounded and kept in memory, never written to disk."""

from __future__ import annotations

import math
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

# The part of a request that is too large which is read and discarded: a browser reads the response
# only once it has sent the request. After that the connection is closed.
MAX_DRAINED_BYTES = 64 * 1024 * 1024
_CHUNK = 256 * 1024

# What a request has besides its pictures.
_REST = 64 * 1024

View = Callable[..., HttpResponseBase]


class MemoryUploadHandler(MemoryFileUploadHandler):
    """Keep every upload in memory. `bounded_upload` has limited the size of the whole request."""

    def handle_raw_input(self, *args: Any, **kwargs: Any) -> None:
        self.activated = True


def expect_frames(request: HttpRequest, count: int) -> None:
    """Limit a request to so many frames, whether they come as files or in JSON.

    Call it in the ``setup`` of a view whose ``dispatch`` has `bounded_upload`.
    """
    limit = count * math.ceil(conf.get().MAX_FRAME_BYTES * 4 / 3) + _REST
    request.max_upload_bytes = limit  # type: ignore[attr-defined]


def bounded_upload(view: View) -> View:
    """Limit the size of a view's requests before reading them, and keep uploads off the disk.

    CSRF protection reads the form, so it runs after the limit. The view itself decides who has to
    be logged in, even if Django's ``LoginRequiredMiddleware`` decides for other views.
    """
    protected = csrf_protect(view)

    @login_not_required
    @csrf_exempt
    @wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        max_bytes = conf.get().MAX_UPLOAD_BYTES
        max_bytes = min(getattr(request, "max_upload_bytes", max_bytes), max_bytes)
        if _content_length(request) > max_bytes:
            _drain(request)
            return error_response(request, errors.TooLarge())
        # Browsers send no other encoding. Some of Python's codecs turn invalid bytes into text.
        request.encoding = "utf-8"
        request.upload_handlers = [MemoryUploadHandler(request)]
        try:
            if request.method == "POST" and json_body.is_json(request):
                json_body.load(request, max_bytes)
            _ = request.POST
        except errors.FaceError as error:
            return error_response(request, error)
        except RequestDataTooBig:
            return error_response(request, errors.TooLarge())
        # Django's parsers raise many kinds of exceptions, and not all of them become responses.
        except Exception:
            return error_response(request, errors.FaceError())
        return protected(request, *args, **kwargs)

    return metrics.count_requests(wrapped)


def _content_length(request: HttpRequest) -> int:
    try:
        return int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError:
        return 0


def _drain(request: HttpRequest) -> None:
    """Read and discard the request, up to `MAX_DRAINED_BYTES`."""
    remaining = min(_content_length(request), MAX_DRAINED_BYTES)
    while remaining > 0 and (read := len(request.read(min(remaining, _CHUNK)))):
        remaining -= read
