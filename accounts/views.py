"""The views of accounts: sign-up, profile, and passwords."""

from __future__ import annotations

from typing import Any, cast

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login
from django.contrib.auth import views as auth_views
from django.contrib.auth.forms import SetPasswordForm
from django.contrib.auth.mixins import LoginRequiredMixin
from django.contrib.messages.views import SuccessMessageMixin
from django.forms import CheckboxInput
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, resolve_url
from django.urls import reverse, reverse_lazy
from django.utils.decorators import method_decorator
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.generic import FormView, TemplateView

from faceauth import conf, devices, enrolment, logins
from faceauth.errors import TooManyCodes
from faceauth.mixins import FaceRequiredMixin
from faceauth.views import CaptureMixin

from . import signup
from .forms import (
    ChangePasswordForm,
    CodeForm,
    NewCodeForm,
    OtherUsernameForm,
    ResetForm,
    SignUpForm,
    UsernameForm,
)


class SignUpView(CaptureMixin, auth_views.RedirectURLMixin, FormView):
    """Ask for the name and the address of a new account, and mail a code to the address."""

    template_name = "accounts/signup.html"
    form_class = SignUpForm

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.user.is_authenticated:
            return redirect(self.get_redirect_url() or settings.LOGIN_REDIRECT_URL)
        return super().get(request, *args, **kwargs)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(next=self.get_redirect_url(), **kwargs)

    def form_valid(self, form: Any) -> HttpResponse:
        try:
            signup.begin(self.request, **form.cleaned_data, next_page=self.get_redirect_url())
        except TooManyCodes as error:
            form.add_error(None, error)
            return self.form_invalid(form)
        return self.success_response(None, "", reverse("accounts:signup_code"))


@method_decorator(never_cache, name="dispatch")
class SignUpCodeView(CaptureMixin, FormView):
    """Create the account once the code was entered, and log its user in.

    If the username is taken, the page then asks for another one.
    """

    template_name = "accounts/signup_code.html"

    @property
    def pending(self) -> signup.Pending | None:
        """Return what the visitor has entered so far, if anything."""
        return signup.pending_of(self.request)

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if self.pending is None:
            return redirect("accounts:signup")
        return super().get(request, *args, **kwargs)

    def get_form_class(self) -> Any:
        if self.pending and self.pending.proven:
            return OtherUsernameForm
        return NewCodeForm if self.is_ticked("again") else CodeForm

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(pending=self.pending, may_trust=True, **kwargs)

    def form_valid(self, form: Any) -> HttpResponse:
        if self.pending is None:
            return redirect("accounts:signup")
        if isinstance(form, NewCodeForm):
            message = _("We’ve sent another email. Codes from earlier ones no longer work.")
            return self.success_response(None, message, self.request.path)
        if isinstance(form, CodeForm):
            signup.keep(self.request, self.pending._replace(proven=True))
            data = {**self.request.POST.dict(), "username": self.pending.username}
            form = UsernameForm(data, request=self.request)
        return self.create(form) if form.is_valid() else self.form_invalid(form)

    def create(self, form: UsernameForm) -> HttpResponse:
        """Create the account, log its user in, and lead them to the page that enrols their face."""
        request, pending = self.request, cast(signup.Pending, self.pending)
        user = signup.create(pending, form.cleaned_data["username"])
        if user is None:
            form.add_error(*self.taken_meanwhile(pending))
            return self.form_invalid(form)
        signup.forget(request)
        login(request, user, backend="django.contrib.auth.backends.ModelBackend")
        after = pending.next or resolve_url(settings.LOGIN_REDIRECT_URL)
        url = f"{reverse('faceauth:enrol')}?{urlencode({'next': after})}"
        message = _("Welcome, %(name)s. Your account is ready.") % {"name": user.get_username()}
        response = self.success_response(user, message, url)
        if self.is_ticked("trust"):
            devices.trust(request, response, user, by="code")
        return response

    def taken_meanwhile(self, pending: signup.Pending) -> tuple[str | None, str]:
        """Return the field and the message if somebody else was quicker by a moment."""
        if signup.owner_of(pending.email):
            return None, _("There is an account with your email address by now. Log in with it.")
        return "username", _("This username is taken. Choose another one.")

    def is_ticked(self, name: str) -> bool:
        """Return True if the form was sent with this box ticked or this button pressed."""
        sent = CheckboxInput().value_from_datadict(self.request.POST, self.request.FILES, name)
        return bool(sent)


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
    form_class = ChangePasswordForm
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

    def get_form_kwargs(self) -> dict[str, Any]:
        kwargs = super().get_form_kwargs()
        asks = issubclass(self.get_form_class(), ChangePasswordForm)
        return {**kwargs, "request": self.request} if asks else kwargs

    def form_valid(self, form: Any) -> HttpResponse:
        response = super().form_valid(form)
        if devices.revoke_by_password(self.request.user, self.request):
            message = _(
                "Other browsers that were trusted with the old one are not trusted any more."
            )
            messages.warning(self.request, message)
        return response


@method_decorator(never_cache, name="dispatch")
class PasswordResetView(auth_views.PasswordResetView):
    """Send a link to reset the password."""

    template_name = "accounts/password_reset_form.html"
    email_template_name = "accounts/password_reset_email.txt"
    subject_template_name = "accounts/password_reset_subject.txt"
    success_url = reverse_lazy("accounts:password_reset_done")
    form_class = ResetForm

    def get_form_kwargs(self) -> dict[str, Any]:
        return {**super().get_form_kwargs(), "request": self.request}


class PasswordResetConfirmView(auth_views.PasswordResetConfirmView):
    """Set a new password from the link in the email."""

    template_name = "accounts/password_reset_confirm.html"
    success_url = reverse_lazy("accounts:password_reset_complete")

    def form_valid(self, form: Any) -> HttpResponse:
        response = super().form_valid(form)
        # Access to the mailbox proves who the user is, as a password does.
        logins.record_reset(self.request, form.user)
        return response
