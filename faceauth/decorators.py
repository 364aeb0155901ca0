"""Decorators for a project's views: require the face again, or exempt from the second step."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from inspect import iscoroutinefunction
from typing import Any, TypeVar, overload

from asgiref.sync import sync_to_async
from django.http import HttpRequest

from .step_up import confirmation

View = TypeVar("View", bound=Callable[..., Any])


@overload
def face_required(view: View) -> View: ...
@overload
def face_required(
    *, max_age: float = confirmation.MAX_AGE, password: bool = True
) -> Callable[[View], View]: ...
def face_required(
    view: Any = None, *, max_age: float = confirmation.MAX_AGE, password: bool = True
) -> Any:
    """Require the user to have shown their face in the last `max_age` seconds, at login or since.

    Other users are redirected to a page where their face is verified (1:1), and then back.

    A form that was sent too late is not sent again: the user is redirected to the page with the
    form and fills it in again. Clients that ask for JSON get 403 `face_required`, with the URL of
    the page as `confirm`. Users who are not logged in are asked to log in.

    Args:
        view: The view, sync or async.
        max_age: How long the face counts, in seconds.
        password: Accept the password as well, for users without a camera. It is always accepted
            for users without a face. If False, users whose face was enrolled, replaced or removed
            in the last ``FACE_COOLDOWN_HOURS`` get 403 `face_too_new`.
    """

    def decorate(view: Any) -> Any:
        def refusal(request: HttpRequest) -> Any:
            return confirmation.refusal(request, max_age, password=password)

        if iscoroutinefunction(view):

            @wraps(view)
            async def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
                refused = await sync_to_async(refusal)(request)
                return refused or await view(request, *args, **kwargs)

        else:

            @wraps(view)
            def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
                return refusal(request) or view(request, *args, **kwargs)

        return wrapped

    return decorate if view is None else decorate(view)


def second_step_exempt(view: View) -> View:
    """Exempt a view from `middleware.FaceSecondStepMiddleware`: the password alone is enough."""
    view.second_step_exempt = True  # type: ignore[attr-defined]
    return view
