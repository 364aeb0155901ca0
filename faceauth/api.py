"""What front ends ask that have pages of their own; all else they send to `views`, in JSON."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.middleware.csrf import get_token
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.generic import View

from . import errors, faces, users
from .http.responses import error_response
from .verification import VerifyForm
from .views import PostOnlyView


@method_decorator(never_cache, name="dispatch")
@method_decorator(login_not_required, name="dispatch")
class WhoAmIView(View):
    """Who is logged in, and the token that requests with effects have to carry."""

    def get(self, request: HttpRequest) -> HttpResponse:
        user: Any = request.user
        told = None
        if user.is_authenticated:
            told = {
                "username": users.username(user),
                "greeting": _("Hello, %(name)s.") % {"name": users.short_name(user)},
                "has_face": faces.of(user).has_face,
            }
        return JsonResponse({"user": told, "csrf_token": get_token(request)})


class VerifyView(PostOnlyView):
    """Whether a face is that of a user, yes or no; for the staff."""

    def post(self, request: HttpRequest) -> HttpResponse:
        user: Any = request.user
        if not user.is_authenticated:
            return error_response(request, errors.LoginRequired())
        if not (getattr(user, "is_staff", False) and user.has_perm("faceauth.verify_face")):
            return error_response(request, errors.NotAllowed())
        form = VerifyForm(request, request.POST, request.FILES)
        if form.is_valid():
            return JsonResponse({"verified": form.verified})
        fields = {name: each for name, each in form.errors.items() if name != "__all__"}
        return error_response(request, errors.first(form), fields=fields)
