"""The login page of a site with django-otp."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.views import redirect_to_login
from django.http import HttpResponse
from django_otp import user_has_device

from faceauth import views


class LoginView(views.LoginView):
    """Send users who have a second factor to the site's own login page, which asks for it."""

    def log_in(self, user: Any) -> HttpResponse:
        if user_has_device(user):
            return redirect_to_login(self.get_success_url())
        return super().log_in(user)
