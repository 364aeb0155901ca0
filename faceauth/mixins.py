"""`decorators.face_required` for class-based views."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponseBase

from .step_up import confirmation


class FaceRequiredMixin:
    """Require the user's face, as `decorators.face_required` does. Put it first among the bases.

    `face_max_age` and `face_or_password` are the `max_age` and `password` of the decorator.
    """

    face_max_age: float = confirmation.MAX_AGE
    face_or_password: bool = True
    request: HttpRequest

    def face_is_required(self) -> bool:
        """Return True if the user who is logged in must show their face. Override it to decide."""
        return True

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not request.user.is_authenticated or self.face_is_required():
            limits = {"max_age": self.face_max_age, "password": self.face_or_password}
            if refusal := confirmation.refusal(request, **limits):  # type: ignore[arg-type]
                return refusal
        response: HttpResponseBase = super().dispatch(request, *args, **kwargs)  # type: ignore[misc]
        return response
