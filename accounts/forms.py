"""Sign-up, and a password reset that also works for users without a password."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django import forms
from django.contrib.auth.forms import PasswordChangeForm, PasswordResetForm
from django.contrib.auth.password_validation import validate_password
from django.core.mail import EmailMessage
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.translation import gettext_lazy as _

from faceauth.audit import outbox
from faceauth.errors import TooManyEmails, TooManySignUps
from faceauth.forms import OldPasswordLimitMixin
from faceauth.http import rate_limit
from faceauth.step_up import email_code

from . import signup
from .models import User


def username_field() -> Any:
    """Return a form field for a username."""
    attrs = {"autocomplete": "username", "autocapitalize": "none", "spellcheck": "false"}
    # Most people need no rules: an error says which characters are allowed.
    return User._meta.get_field("username").formfield(widget=forms.TextInput(attrs), help_text="")


def valid_username(text: str) -> str:
    """Return a username, whether or not it is taken.

    Raises:
        ValidationError: It has characters that usernames cannot have.
    """
    username: str = User.normalize_username(text)
    User._meta.get_field("username").run_validators(username)
    return username


class RequestMixin:
    """Keep the request that a form is given."""

    def __init__(self, *args: Any, request: HttpRequest, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.request = request


class SignUpForm(RequestMixin, forms.Form):
    """The name, the address and perhaps the password of a new account.

    Not a model form: that would tell everybody which names and addresses are taken. See `signup`.
    """

    username = username_field()
    email = forms.EmailField(
        label=_("Email address"),
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
    )
    password = forms.CharField(
        label=_("Password"),
        required=False,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=_(
            "Optional. Without one, enrol your face to log in. You can set a password later."
        ),
    )

    def clean_username(self) -> str:
        return valid_username(self.cleaned_data["username"])

    def clean_email(self) -> str:
        return User.objects.normalize_email(self.cleaned_data["email"])

    def clean(self) -> dict[str, Any]:
        rate_limit.enforce_sign_up(self.request)
        if password := self.cleaned_data.get("password"):
            # A password must not resemble them.
            names = {each: self.cleaned_data.get(each, "") for each in ("username", "email")}
            try:
                validate_password(password, User(**names))
            except forms.ValidationError as error:
                self.add_error("password", error)
        return self.cleaned_data


class CodeForm(RequestMixin, forms.Form):
    """The code from the email."""

    code = forms.CharField(label=_("Code"), max_length=40)

    def clean_code(self) -> str:
        code: str = self.cleaned_data["code"]
        pending = signup.pending_of(self.request)
        # Without an account to create, no code is right.
        email_code.redeem(self.request, signup.purpose_of(pending) if pending else "", code)
        return code


class NewCodeForm(CodeForm):
    """The same form, sent for another code."""

    code = forms.CharField(label=_("Code"), required=False)

    def clean_code(self) -> str:
        return ""

    def clean(self) -> dict[str, Any]:
        if pending := signup.pending_of(self.request):
            signup.send(self.request, pending)
        return self.cleaned_data


class UsernameForm(RequestMixin, forms.Form):
    """The username that was asked for, if it is free."""

    username = username_field()

    def clean_username(self) -> str:
        username = valid_username(self.cleaned_data["username"])
        if User.objects.filter(username__iexact=username).exists():
            raise forms.ValidationError(_("This username is taken. Choose another one."), "unique")
        return username


class OtherUsernameForm(UsernameForm):
    """Another username, because the one that was asked for is taken."""

    def clean_username(self) -> str:
        # Otherwise whoever has one address could find out which names of a list are taken.
        rate_limit.enforce_sign_up(self.request)
        return super().clean_username()


class ChangePasswordForm(OldPasswordLimitMixin, PasswordChangeForm):
    """Django's form, with the limit on wrong passwords that the login page has."""


class ResetForm(RequestMixin, PasswordResetForm):
    """Django's form, which skips users without a password; here they get their first one.

    The time of the answer doesn't tell whether there is an account: the mail is written in any
    case, and sent from the outbox.
    """

    def clean(self) -> dict[str, Any]:
        # Otherwise each address that somebody makes up would leave counts that are kept for a day.
        try:
            rate_limit.enforce_sign_up(self.request)
        except TooManySignUps as error:
            raise TooManyEmails(error.retry_after or 0) from error
        return self.cleaned_data

    def get_users(self, email: str) -> Iterator[User]:
        found = User.objects.filter(email__iexact=email, is_active=True)
        # Some databases ignore more differences than case, and would find a similar address.
        users = [user for user in found if user.email.casefold() == email.casefold()]
        yield from users or [User(email=email)]

    def send_mail(
        self,
        subject_template_name: str,
        email_template_name: str,
        context: dict[str, Any],
        from_email: str | None,
        to_email: str,
        html_email_template_name: str | None = None,
    ) -> None:
        subject = render_to_string(subject_template_name, context).strip()
        body = render_to_string(email_template_name, context)
        # Nobody's mailbox is flooded. Counted for every address that is entered.
        admitted = rate_limit.admits_code(f"reset {to_email.casefold()}")
        if admitted and context["user"].pk is not None:
            outbox.put(EmailMessage(subject, body, from_email, [to_email]), "password_reset")
