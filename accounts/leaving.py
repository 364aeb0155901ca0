"""Leave: log out on all devices, or delete the account."""

from __future__ import annotations

from typing import Any, cast

from django import forms
from django.contrib import messages
from django.contrib.auth import logout, update_session_auth_hash
from django.db.models import F
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.generic import FormView, TemplateView

from faceauth import devices
from faceauth.mixins import FaceRequiredMixin

from .models import User


class LogOutEverywhereForm(forms.Form):
    """Which of the user's devices are affected."""

    devices = forms.BooleanField(
        label=gettext_lazy("Remove all trusted devices as well"),
        required=False,
        help_text=gettext_lazy("Your face alone then no longer logs in anywhere, not even here."),
    )


@method_decorator(never_cache, name="dispatch")
class LogOutEverywhereView(FaceRequiredMixin, FormView):
    """End all sessions of the user except this one, and remove the trusted devices if asked."""

    template_name = "accounts/log_out_everywhere.html"
    form_class = LogOutEverywhereForm

    def form_valid(self, form: LogOutEverywhereForm) -> HttpResponse:
        user = cast(User, self.request.user)
        User.objects.filter(pk=user.pk).update(session_generation=F("session_generation") + 1)
        user.refresh_from_db(fields=["session_generation"])
        update_session_auth_hash(self.request, user)
        message = _("You are logged out everywhere else.")
        if form.cleaned_data["devices"]:
            devices.revoke_all(user, self.request)
            message = _("You are logged out everywhere else, and no device is trusted any more.")
        messages.success(self.request, message)
        return redirect("accounts:profile")


@method_decorator(never_cache, name="dispatch")
class DeleteAccountView(FaceRequiredMixin, TemplateView):
    """Delete the account with everything that belongs to it, and log its user out."""

    template_name = "accounts/delete.html"

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        user = User.objects.get(pk=cast(User, request.user).pk)
        logout(request)
        user.delete()
        messages.success(request, _("Your account was deleted."))
        return redirect("home")
