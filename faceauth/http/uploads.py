"""Uploads: requests that contain pictures are bounded and kept in memory, never written to disk."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
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


@dataclass
class _Expected:
    """What is expected of a request besides the settings' limits."""

    max_bytes: float = math.inf
    check: Callable[[HttpRequest], None] | None = None
    refusal: type[errors.FaceError] = errors.TooLarge


def expect_frames(
    request: HttpRequest,
    count: int,
    check: Callable[[HttpRequest], None] | None = None,
    refusal: type[errors.FaceError] = errors.TooLarge,
) -> None:
    """Limit a request to so many frames, whether they come as files or in JSON.

    Call it in the ``setup`` of a view whose ``dispatch`` has `bounded_upload`.

    Args:
        request: The request.
        count: The maximum number of frames.
        check: Called before the frames are read. It may raise a `FaceError`.
        refusal: The error for a larger request.
    """
    max_bytes = count * math.ceil(conf.get().MAX_FRAME_BYTES * 4 / 3) + _REST
    request.face_upload = _Expected(max_bytes, check, refusal)  # type: ignore[attr-defined]


def expect_login(request: HttpRequest) -> None:
    """Limit a request to what a form without files has, unless its user is logged in.

    Otherwise anybody could fill the memory with pictures that nobody looks at.
    """
    if not request.user.is_authenticated:
        expect_frames(request, 0, refusal=errors.LoginRequired)


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
        expected = getattr(request, "face_upload", _Expected())
        max_bytes = math.floor(min(expected.max_bytes, conf.get().MAX_UPLOAD_BYTES))
        try:
            if _content_length(request) > max_bytes:
                raise expected.refusal()
            if expected.check and request.method == "POST":
                expected.check(request)
        except errors.FaceError as error:
            _drain(request)
            return error_response(request, error)
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
