"""For views of your own: the face again before something that matters; the second step left out."""

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
    """Let nobody into a view who has not looked into the camera in the last `max_age` seconds, at
    login or since. Others are led to a page where they do, 1:1 against their own face, and back.

    A form that comes too late is not sent again: whoever sent it is led back to the page that it
    is on, and fills it in anew. Clients that ask for JSON hear 403 `face_required`, with the
    page's address as `confirm`; those who are not logged in, to log in.

    password: whether the password does as well, for those who have no camera. It does in any case
        for users without a face.
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
    """Let in by their password alone, where `middleware.FaceSecondStepMiddleware` would not."""
    view.second_step_exempt = True  # type: ignore[attr-defined]
    return view
