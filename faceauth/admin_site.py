"""An admin site that staff log in to by face, or by password and then by face.

To use it, replace ``"django.contrib.admin"`` in ``INSTALLED_APPS`` with
``"faceauth.apps.FaceAdminConfig"``. ``FACEAUTH["ADMIN_SECOND_STEP"]`` decides between the two ways.
"""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest
from django.urls import path, reverse
from django.utils.decorators import method_decorator
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt

from . import conf
from .step_up import second_step


class FaceAdminSite(admin.AdminSite):
    """Django's admin site with login by face."""

    login_template = "admin/faceauth/login.html"

    # Not a class attribute, because the form can be imported only once the apps are loaded.
    @cached_property
    def login_form(self) -> Any:  # type: ignore[override]
        """Return Django's form with a limit on wrong passwords. Set a form of your own instead."""
        from .admin.login import StaffPasswordForm

        return StaffPasswordForm

    def has_permission(self, request: HttpRequest) -> bool:
        if not super().has_permission(request):
            return False
        return not conf.get().ADMIN_SECOND_STEP or second_step.passed(request)

    def get_urls(self) -> list[Any]:
        return [path("login/face/", self.face_login, name="face_login"), *super().get_urls()]

    @method_decorator(never_cache)
    @method_decorator(login_not_required)
    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """Log in by password, and continue with the second step if there is one."""
        from .admin.login import PasswordStepView

        inside = request.method == "GET" and self.has_permission(request)
        if inside or not conf.get().ADMIN_SECOND_STEP:
            return super().login(request, extra_context)
        context = {
            **self._login_context(request),
            "title": _("Log in"),
            "app_path": request.get_full_path(),
            "second_step": True,
            # Otherwise Django tells users who are logged in on the site that they lack permission.
            "user": AnonymousUser(),
            **(extra_context or {}),
        }
        view = PasswordStepView.as_view(
            site=self,
            extra_context=context,
            authentication_form=self.login_form,
            template_name=self.login_template,
        )
        return view(request)

    # The view limits the size of the form before reading it, and checks its CSRF token afterwards.
    @method_decorator(csrf_exempt)
    @method_decorator(never_cache)
    @method_decorator(login_not_required)
    def face_login(self, request: HttpRequest) -> Any:
        """Log in by face, alone or as the second step."""
        from .admin.login import FaceStepView

        context = self._login_context(request)
        return FaceStepView.as_view(site=self, extra_context=context)(request)

    def password_change(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> Any:
        """Change one's password. Wrong ones are limited as at the login page."""
        from .admin.login import StaffPasswordChangeView

        request.current_app = self.name
        view = StaffPasswordChangeView.as_view(
            success_url=reverse("admin:password_change_done", current_app=self.name),
            extra_context={**self.each_context(request), **(extra_context or {})},
            template_name=self.password_change_template or "registration/password_change_form.html",
        )
        return view(request)

    def _login_context(self, request: HttpRequest) -> dict[str, Any]:
        request.current_app = self.name
        return {**self.each_context(request), "subtitle": None}
