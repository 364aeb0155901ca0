"""The views of accounts: sign-up, profile, and passwords."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth import login
from django.contrib.auth import views as auth_views
from django.contrib.auth.forms import SetPasswordForm
from django.contrib.auth.mixins import LoginRequiredMixin
from django.contrib.messages.views import SuccessMessageMixin
from django.db import IntegrityError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse_lazy
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.generic import CreateView, TemplateView

from faceauth import conf, enrolment, logins
from faceauth.mixins import FaceRequiredMixin
from faceauth.views import CaptureMixin

from .forms import ResetForm, SignUpForm


class SignUpView(CaptureMixin, auth_views.RedirectURLMixin, CreateView):
    """Create an account, and log its user in."""

    template_name = "accounts/signup.html"
    form_class = SignUpForm
    next_page = settings.LOGIN_REDIRECT_URL

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.user.is_authenticated:
            return HttpResponseRedirect(self.get_success_url())
        return super().get(request, *args, **kwargs)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(next=self.get_redirect_url(), **kwargs)

    def form_valid(self, form: Any) -> HttpResponse:
        try:
            user = form.create()
        except IntegrityError:
            message = _("This username or email address has just been taken. Choose another.")
            form.add_error(None, message)
            user = None
        if user is None:
            return self.form_invalid(form)
        login(self.request, user, backend="django.contrib.auth.backends.ModelBackend")
        message = _("Welcome, %(name)s. Your account is ready.") % {"name": user.get_username()}
        return self.success_response(user, message, self.get_success_url())


@method_decorator(never_cache, name="dispatch")
class ProfileView(LoginRequiredMixin, TemplateView):
    """Show what the site knows about the logged-in user, including the face."""

    template_name = "accounts/profile.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        user: Any = self.request.user
        return super().get_context_data(
            events=user.face_events.all()[:10],
            consent_is_outdated=enrolment.consent_is_outdated(user),
            config=conf.get(),
            **kwargs,
        )


@method_decorator(never_cache, name="dispatch")
class MembersView(LoginRequiredMixin, TemplateView):
    """A page for logged-in users."""

    template_name = "members.html"


@method_decorator(never_cache, name="dispatch")
class PasswordChangeView(FaceRequiredMixin, SuccessMessageMixin, auth_views.PasswordChangeView):
    """Change the password, or set the first one."""

    template_name = "accounts/password_change.html"
    success_url = reverse_lazy("accounts:profile")
    success_message = gettext_lazy("Your password was changed.")

    def face_is_required(self) -> bool:
        user: Any = self.request.user
        # A person who finds somebody else logged in must not be able to set the first password.
        return not user.has_usable_password()

    def get_form_class(self) -> Any:
        user: Any = self.request.user
        # A user without a password cannot enter the old one.
        return self.form_class if user.has_usable_password() else SetPasswordForm


class PasswordResetView(auth_views.PasswordResetView):
    """Send a link to reset the password."""

    template_name = "accounts/password_reset_form.html"
    email_template_name = "accounts/password_reset_email.txt"
    subject_template_name = "accounts/password_reset_subject.txt"
    success_url = reverse_lazy("accounts:password_reset_done")
    form_class = ResetForm


class PasswordResetConfirmView(auth_views.PasswordResetConfirmView):
    """Set a new password from the link in the email."""

    template_name = "accounts/password_reset_confirm.html"
    success_url = reverse_lazy("accounts:password_reset_complete")

    def form_valid(self, form: Any) -> HttpResponse:
        response = super().form_valid(form)
        # Access to the mailbox proves who the user is, as a password does.
        logins.clear_failures(self.request, form.user)
        return response
