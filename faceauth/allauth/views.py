"""The login page of a site with django-allauth."""

from __future__ import annotations

from typing import Any

from allauth.account.utils import perform_login
from django.http import HttpResponse

from faceauth import logins, views

from .internals import METHOD, import_record_authentication

# Imported with the URLs, so that a wrong version of allauth is reported when the site starts.
record_authentication = import_record_authentication()


class LoginView(views.LoginView):
    """Log in by face through django-allauth.

    allauth sends its signals, applies its conditions first (a confirmed address, a second factor)
    and records the method. Passwords are for allauth's own page.
    """

    template_name = "faceauth_allauth/login.html"

    def get_form_class(self) -> Any:
        form = super().get_form_class()
        return self.face_form if form is self.password_form else form

    def form_valid(self, form: Any) -> HttpResponse:
        request: Any = self.request
        # For `adapter.TrustedDeviceMixin`.
        request.face_on_trusted_device = getattr(form, "device", None) is not None
        return super().form_valid(form)

    def log_in(self, user: Any) -> HttpResponse:
        request = self.request
        record_authentication(request, user, method=METHOD)
        response: HttpResponse
        response = perform_login(request, user, redirect_url=self.get_redirect_url() or None)
        if not request.user.is_authenticated:
            # allauth asks for something else first.
            logins.postpone_login(request, user)
        return response

    def greeting(self, user: Any) -> str:
        """Return no greeting, because allauth shows its own."""
        return ""
