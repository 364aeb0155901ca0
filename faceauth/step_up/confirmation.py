"""That whoever sits before a session is still its user: what it has seen of them, and when."""

from __future__ import annotations

import math
import time
from typing import Any

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme, urlencode

from faceauth import errors, faces
from faceauth.http.responses import error_response, wants_json

# What a session can have seen. A password stands for every way to log in but by face.
FACE, PASSWORD = "face", "password"

# For how many seconds it counts, unless a view says otherwise; and for how many where pictures
# have to be taken before the form is sent.
MAX_AGE, MAX_AGE_WITH_PICTURES = 5 * 60, 15 * 60

_KEY = "faceauth_seen"


def note(request: HttpRequest | None, user: Any, what: str) -> None:
    """Note that the session has just seen the user's face, or their password."""
    session = getattr(request, "session", None)
    if request is not None and session is not None:
        session[_KEY] = {**_noted(request, user), what: time.time()}


def seen(request: HttpRequest, what: str, within: float = math.inf) -> bool:
    """Whether the session has seen it of the user who is logged in, in so many seconds."""
    at = _noted(request, request.user).get(what)
    return at is not None and time.time() - at <= within


def confirmed(request: HttpRequest, max_age: float, *, password: bool = True) -> bool:
    """Whether the user who is logged in showed who they are in so many seconds: by their face, or
    by their password where that does as well, or where there is no face of theirs.
    """
    if seen(request, FACE, max_age):
        return True
    either = password or not faces.of(request.user).face_is_asked_for
    return either and seen(request, PASSWORD, max_age)


def refusal(
    request: HttpRequest, max_age: float = MAX_AGE, *, password: bool = True
) -> HttpResponse | None:
    """None where that is `confirmed`; else what to answer instead of the page that was asked for:
    the way to the login page or to the one to confirm on, or the same in JSON.
    """
    if not request.user.is_authenticated:
        if wants_json(request):
            return error_response(request, errors.LoginRequired())
        return redirect_to_login(_back(request))
    return None if confirmed(request, max_age, password=password) else ask(request, password)


def ask(request: HttpRequest, password: bool) -> HttpResponse:
    """Lead the user to the page to confirm on, and from there back to where they were."""
    query = {"next": _back(request), **({} if password else {"only": FACE})}
    url = f"{reverse('faceauth:confirm')}?{urlencode(query)}"
    if wants_json(request):
        return error_response(request, errors.FaceRequired(), confirm=url)
    return HttpResponseRedirect(url)


def _back(request: HttpRequest) -> str:
    """What leads to the page that was asked for. What was sent is not sent again: after a form,
    to the page that it is on.
    """
    here, page = request.get_full_path(), request.META.get("HTTP_REFERER", "")
    hosts, secure = {request.get_host()}, request.is_secure()
    if request.method in ("GET", "HEAD") or not page:
        return here
    return page if url_has_allowed_host_and_scheme(page, hosts, secure) else here


def _noted(request: HttpRequest, user: Any) -> dict[str, Any]:
    noted = request.session.get(_KEY, {})
    return noted if noted.get("user") == str(user.pk) else {"user": str(user.pk)}
