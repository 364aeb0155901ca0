from __future__ import annotations

from typing import Any

from allauth.account.internal.flows.login import record_authentication
from allauth.account.utils import perform_login
from django.http import HttpResponse

from faceauth import logins, views
from faceauth.models import FaceEvent


class LoginView(views.LoginView):
    """Log in by face as django-allauth logs in: with its signals, what it asks before (an address
    that is confirmed, a second factor) and its record of how somebody came in. Passwords are for
    its own page.
    """

    template_name = "faceauth_allauth/login.html"

    def get_form_class(self) -> Any:
        return self.face_form

    def log_in(self, user: Any) -> HttpResponse:
        request = self.request
        record_authentication(request, user, method="face")
        response: HttpResponse
        response = perform_login(request, user, redirect_url=self.get_redirect_url() or None)
        if not request.user.is_authenticated:
            # Something else is asked for first. The login that follows knows nothing of the face.
            logins.record_use(FaceEvent.Kind.LOGIN, request, user)
        return response

    def greeting(self, user: Any) -> str:
        """None: allauth has one of its own."""
        return ""
