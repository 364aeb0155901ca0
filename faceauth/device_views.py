"""The pages of trusted devices: list, name and revoke them, and trust this browser."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.mixins import LoginRequiredMixin
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render, resolve_url
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.generic import TemplateView, View

from . import devices, errors
from .devices import links
from .http.responses import error_response, tell, wants_json
from .models import DeviceTrust
from .step_up import confirmation
from .views import CaptureMixin


@method_decorator(never_cache, name="dispatch")
class DevicesView(LoginRequiredMixin, TemplateView):
    """The devices that the logged-in user trusts."""

    template_name = "faceauth/devices.html"


class OwnDeviceView(CaptureMixin, LoginRequiredMixin, View):
    """Base class: change one of the devices that the logged-in user trusts."""

    http_method_names = ["post", "options"]

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        user: Any = request.user
        trust = user.face_devices.select_related("device", "user").filter(pk=pk).first()
        if trust is None:
            raise Http404
        return self.success_response(user, self.change(trust), resolve_url("faceauth:devices"))

    def change(self, trust: DeviceTrust) -> str:
        """Change the trust, and return the message that says so."""
        raise NotImplementedError


class NameForm(forms.Form):
    """The user's own name for a device."""

    name = forms.CharField(max_length=60, required=False)


class RenameView(OwnDeviceView):
    """Name a device. An empty name brings the browser's own back."""

    def change(self, trust: DeviceTrust) -> str:
        form = NameForm(self.request.POST)
        trust.name = form.cleaned_data["name"] if form.is_valid() else trust.name
        trust.save(update_fields=["name"])
        return _("The device is now called “%(name)s”.") % {"name": trust}


class RevokeView(OwnDeviceView):
    """End the trust in a device."""

    def change(self, trust: DeviceTrust) -> str:
        name = str(trust)
        devices.revoke(trust, self.request)
        return _("Your face alone no longer logs you in on “%(name)s”.") % {"name": name}


class TrustView(CaptureMixin, LoginRequiredMixin, View):
    """Trust this browser, in a session that has just seen more than a face."""

    http_method_names = ["post", "options"]

    def post(self, request: HttpRequest) -> HttpResponse:
        if not devices.may_trust(request):
            return ask_for_password(request)
        message = _("This browser is trusted. Next time your face is enough here.")
        response = self.success_response(request.user, message, resolve_url("faceauth:devices"))
        devices.trust(request, response, request.user)
        return response


def ask_for_password(request: HttpRequest) -> HttpResponse:
    """Redirect to the page that asks for the password, then back to the list of devices."""
    query = urlencode({"next": reverse("faceauth:devices"), "only": confirmation.PASSWORD})
    url = f"{reverse('faceauth:confirm')}?{query}"
    if wants_json(request):
        return error_response(request, errors.PasswordRequired(), confirm=url)
    return HttpResponseRedirect(url)


@method_decorator(login_not_required, name="dispatch")
@method_decorator(never_cache, name="dispatch")
class RevokeByMailView(View):
    """End the trust in a device, from the link in the email that told of it."""

    def get(self, request: HttpRequest, token: str) -> HttpResponse:
        trust = links.follow(token)
        return render(request, "faceauth/revoke_device.html", {"trust": trust})

    def post(self, request: HttpRequest, token: str) -> HttpResponse:
        trust = links.follow(token)
        if trust is None:
            return redirect(request.path)
        devices.revoke(trust, request)
        message = _("The device is no longer trusted. If it wasn’t yours, change your password.")
        tell(request, messages.SUCCESS, message)
        return HttpResponseRedirect(resolve_url(settings.LOGIN_URL))
