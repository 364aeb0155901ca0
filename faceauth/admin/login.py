"""Log in to the admin by face, or by password and then by face."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.forms import AdminAuthenticationForm, AdminPasswordChangeForm
from django.contrib.auth import views as auth_views
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from faceauth import conf, devices, faces, users
from faceauth.errors import UnknownDevice
from faceauth.forms import FaceLoginForm, OldPasswordLimitMixin, OwnFaceForm, PasswordLimitMixin
from faceauth.http import uploads
from faceauth.step_up import second_step
from faceauth.views import CaptureMixin


class StaffPasswordForm(PasswordLimitMixin, AdminAuthenticationForm):
    """Log in staff by password."""


class StaffPasswordChangeForm(OldPasswordLimitMixin, AdminPasswordChangeForm):
    """Change the password of staff, who enter the old one."""


class StaffPasswordChangeView(auth_views.PasswordChangeView):
    """The admin's page to change one's password."""

    form_class = StaffPasswordChangeForm

    def get_form_kwargs(self) -> dict[str, Any]:
        return {**super().get_form_kwargs(), "request": self.request}

    def form_valid(self, form: Any) -> HttpResponse:
        response = super().form_valid(form)
        devices.revoke_by_password(self.request.user, self.request)
        return response


class StaffFaceLoginForm(FaceLoginForm):
    """Log in staff by face. Other users' faces are refused as unknown faces are."""

    authenticate_options = {"staff": True}
    # On a new device, staff log in by password first.
    offers_code = False


class SecondStepForm(OwnFaceForm, StaffFaceLoginForm):
    """Accept only the face of the user who has entered the password."""


class AdminRedirectMixin(auth_views.RedirectURLMixin):
    """Redirect to `next`, or to the front page of the admin site."""

    request: HttpRequest
    site: Any = admin.site

    def get_default_redirect_url(self) -> str:
        return reverse("admin:index", current_app=self.site.name)

    def login_url(self, page: str) -> str:
        """Return the URL of a login page of the admin site, with the `next` of this page."""
        target = self.get_redirect_url()
        query = f"?{urlencode({'next': target})}" if target else ""
        return reverse(f"admin:{page}", current_app=self.site.name) + query


class PasswordStepView(AdminRedirectMixin, auth_views.LoginView):
    """The first step: check the password, without logging the user in."""

    def form_valid(self, form: Any) -> HttpResponse:
        user = form.get_user()
        if not faces.of(user).face_is_enrolled:
            message = _(
                "The admin asks for your face after the password, but you have no face enrolled. "
                "Log in on the site and enrol your face there, or ask another member of staff."
            )
            form.add_error(None, message)
            return self.form_invalid(form)
        second_step.begin(self.request, user)
        return HttpResponseRedirect(self.login_url("face_login"))


class FaceStepView(CaptureMixin, AdminRedirectMixin, auth_views.LoginView):
    """The login by face: the second step if there is one, else in place of the password."""

    template_name = "admin/faceauth/face_login.html"
    pending: Any = None

    def setup(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().setup(request, *args, **kwargs)
        uploads.expect_frames(request, conf.get().MAX_SNAPSHOTS)

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if self.site.has_permission(request):
            return HttpResponseRedirect(self.get_success_url())
        if redirect := self._password_redirect():
            return redirect
        if not self.pending and not self._face_is_enough():
            messages.warning(request, UnknownDevice().messages[0], fail_silently=True)
            return HttpResponseRedirect(self.login_url("login"))
        return super().get(request, *args, **kwargs)

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return self._password_redirect() or super().post(request, *args, **kwargs)

    def get_form_class(self) -> Any:
        return SecondStepForm if self.pending else StaffFaceLoginForm

    def get_form_kwargs(self) -> dict[str, Any]:
        kwargs = super().get_form_kwargs()
        return {**kwargs, "owner": self.pending} if self.pending else kwargs

    def get_form(self, form_class: Any = None) -> Any:
        form: Any = super().get_form(form_class)
        form.password_form = self.site.login_form or AdminAuthenticationForm
        return form

    def error_details(self) -> dict[str, Any]:
        nonce = devices.nonce_for(self.request)
        return {"device_nonce": nonce} if nonce else {}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(
            device_nonce=devices.nonce_for(self.request),
            title=_("Now show your face") if self.pending else _("Log in with your face"),
            pending=self.pending,
            device=devices.current(self.request),
            face_alone=conf.get().FACE_ALONE,
            password_form=AdminAuthenticationForm(),
            face_url=reverse("admin:face_login", current_app=self.site.name),
            password_url=self.login_url("login"),
            **kwargs,
        )

    def form_valid(self, form: Any) -> HttpResponse:
        url = super().form_valid(form)["Location"]
        if self.pending:
            second_step.finish(self.request)
        user = form.get_user()
        response = self.success_response(user, users.greeting(user), url)
        if form.device is not None:
            devices.log_in(self.request, response, form.device, user)
        return response

    def _face_is_enough(self) -> bool:
        """Return True if the face alone can log in here."""
        device = devices.current(self.request)
        known = device is not None and bool(devices.people(device))
        return known or conf.get().UNKNOWN_DEVICES == "allow"

    def _password_redirect(self) -> HttpResponse | None:
        """Return a redirect to the password if it is missing or was entered too long ago."""
        if not conf.get().ADMIN_SECOND_STEP:
            return None
        self.pending = second_step.pending_user(self.request)
        return None if self.pending else HttpResponseRedirect(self.login_url("login"))
