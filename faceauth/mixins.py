"""`decorators.face_required` for views that are classes."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponseBase

from .step_up import confirmation


class FaceRequiredMixin:
    """Stands first among a view's classes. Whoever is not let in is led to confirm, as by the
    decorator, whose `max_age` and `password` these are.
    """

    face_max_age: float = confirmation.MAX_AGE
    face_or_password: bool = True
    request: HttpRequest

    def face_is_required(self) -> bool:
        """Whether the user who is logged in is asked at all."""
        return True

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not request.user.is_authenticated or self.face_is_required():
            limits = {"max_age": self.face_max_age, "password": self.face_or_password}
            if refusal := confirmation.refusal(request, **limits):  # type: ignore[arg-type]
                return refusal
        response: HttpResponseBase = super().dispatch(request, *args, **kwargs)  # type: ignore[misc]
        return response
