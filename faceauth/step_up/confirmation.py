"""Confirm that a session is still used by its owner: what it has seen of the user, and when."""

from __future__ import annotations

import math
import time
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme, urlencode

from faceauth import conf, errors, faces
from faceauth.db import to_local_time
from faceauth.http.responses import error_response, wants_json

# The methods that a session remembers. CODE is one that was sent by email after the face. PASSWORD
# stands for every other way to log in except by face.
FACE, CODE, PASSWORD = "face", "code", "password"

# How long a confirmation counts by default, in seconds, and how long if pictures have to be taken
# before the form is sent.
MAX_AGE, MAX_AGE_WITH_PICTURES = 5 * 60, 15 * 60

_KEY = "faceauth_seen"

# What is noted together with a face: see `FaceTemplateMixin.face_generation`.
_GENERATION = "generation"


def note(request: HttpRequest | None, user: Any, method: str) -> None:
    """Store in the session that it has just seen the user's face or password.

    Args:
        request: The request with the session. Without one, nothing is stored.
        user: The user whose face or password it was.
        method: `FACE`, `CODE` or `PASSWORD`.
    """
    session = getattr(request, "session", None)
    if request is not None and session is not None:
        noted = {**_noted(request, user), method: time.time()}
        if method == FACE:
            noted[_GENERATION] = faces.of(user).face_generation
        session[_KEY] = noted


def carry_over(request: HttpRequest, user: Any, generation: int) -> None:
    """Let a session that has seen an earlier face of its owner have seen the current one.

    Args:
        request: The owner's request.
        user: The owner, who has just changed the face in this session.
        generation: The generation of the earlier face.
    """
    noted = request.session.get(_KEY, {})
    if noted.get("user") == str(user.pk) and noted.get(_GENERATION) == generation:
        request.session[_KEY] = {**noted, _GENERATION: faces.of(user).face_generation}


def seen(request: HttpRequest, method: str, within: float = math.inf) -> bool:
    """Return True if the session has seen the user's face or password in the last seconds.

    A face that has been replaced, removed or disabled since does not count.

    Args:
        request: The request of the user who is logged in.
        method: `FACE`, `CODE` or `PASSWORD`.
        within: The number of seconds; by default, the age of the session.
    """
    at = _noted(request, request.user).get(method)
    # A time that is still to come is by a clock that was set back, or by another machine's.
    return at is not None and abs(time.time() - at) <= within


def confirmed(request: HttpRequest, max_age: float, *, password: bool = True) -> bool:
    """Return True if the user who is logged in has been confirmed in the last `max_age` seconds.

    The face confirms a user. The password does too if `password` is True or the user has no face.
    """
    if seen(request, FACE, max_age):
        return True
    either = password or not faces.of(request.user).face_is_asked_for
    return either and seen(request, PASSWORD, max_age)


def opens_at(user: Any) -> datetime | None:
    """Return when views that only the face opens open for this user. None if they are open.

    They are closed for ``FACE_COOLDOWN_HOURS`` after the user's face has changed: see `refusal`.
    """
    renewed, hours = faces.of(user).face_renewed_at, conf.get().FACE_COOLDOWN_HOURS
    if renewed is None or not hours:
        return None
    opens: datetime = renewed + timedelta(hours=hours)
    return opens if opens > timezone.now() else None


def refusal(
    request: HttpRequest, max_age: float = MAX_AGE, *, password: bool = True
) -> HttpResponse | None:
    """Return the answer to send instead of a page that needs confirmation, or None.

    Args:
        request: The request for the page.
        max_age: How long a confirmation counts, in seconds.
        password: Accept the password as well, see `confirmed`. If False, users whose face has just
            changed are refused, whoever changed it: the password could otherwise replace the face.

    Returns:
        None if the user is `confirmed`. Otherwise a redirect to the login page or to the page that
        confirms, or the error as JSON.
    """
    if request.user.is_authenticated and not password and (opens := opens_at(request.user)):
        return error_response(request, errors.FaceTooNew(to_local_time(opens)))
    return _refusal(request, max_age, password)


def refusal_to_change_face(request: HttpRequest, max_age: float = MAX_AGE) -> HttpResponse | None:
    """Return the answer to send instead of a page that changes or exports the user's face, or None.

    Changing a face takes the face. Users whose face cannot be compared, or was disabled by staff,
    confirm in the same way as users without one.

    The arguments are those of `refusal`.
    """
    return _refusal(request, max_age, password=not faces.of(request.user).face_is_usable)


def _refusal(request: HttpRequest, max_age: float, password: bool) -> HttpResponse | None:
    if not request.user.is_authenticated:
        if wants_json(request):
            return error_response(request, errors.LoginRequired())
        return redirect_to_login(_back(request))
    if confirmed(request, max_age, password=password):
        return None
    return ask_to_confirm(request, password)


def ask_to_confirm(request: HttpRequest, password: bool) -> HttpResponse:
    """Redirect the user to the page that confirms, which redirects back afterwards.

    Clients that ask for JSON get the error `face_required` with the URL of that page.
    """
    query = {"next": _back(request), **({} if password else {"only": FACE})}
    url = f"{reverse('faceauth:confirm')}?{urlencode(query)}"
    if wants_json(request):
        return error_response(request, errors.FaceRequired(), confirm=url)
    return HttpResponseRedirect(url)


def _back(request: HttpRequest) -> str:
    """Return the URL to come back to: the requested page, or the page that a form is on.

    Forms are not sent again.
    """
    here, page = request.get_full_path(), request.META.get("HTTP_REFERER", "")
    hosts, secure = {request.get_host()}, request.is_secure()
    if request.method in ("GET", "HEAD") or not page:
        return here
    return page if url_has_allowed_host_and_scheme(page, hosts, secure) else here


def _noted(request: HttpRequest, user: Any) -> dict[str, Any]:
    """Return what the session has noted of this user, without a face that has changed since."""
    noted: dict[str, Any] = request.session.get(_KEY, {})
    if noted.get("user") != str(user.pk):
        return {"user": str(user.pk)}
    if FACE in noted and noted.get(_GENERATION) != faces.of(user).face_generation:
        return {name: noted[name] for name in noted if name not in (FACE, _GENERATION)}
    return noted
