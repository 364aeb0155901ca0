"""Sign-up, and a password reset that also works for users without a password."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django import forms
from django.contrib.auth.forms import PasswordResetForm
from django.contrib.auth.password_validation import validate_password
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from faceauth.forms import EnrolFormMixin

from .models import User


class SignUpForm(EnrolFormMixin, forms.ModelForm):
    """A new account with a face, a password, or both."""

    face_required = False

    password = forms.CharField(
        label=_("Password"),
        required=False,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=_("Optional if you enrol your face."),
    )

    class Meta:
        model = User
        fields = ("username", "email")
        widgets = {
            "username": forms.TextInput(
                attrs={"autocomplete": "username", "autocapitalize": "none", "spellcheck": "false"}
            ),
            "email": forms.EmailInput(attrs={"autocomplete": "email"}),
        }

    def clean_username(self) -> str:
        username: str = self.cleaned_data["username"]
        if User.objects.filter(username__iexact=username).exists():
            raise forms.ValidationError(_("This username is taken. Choose another one."), "unique")
        return username

    def clean_email(self) -> str:
        email = User.objects.normalize_email(self.cleaned_data["email"])
        if User.objects.filter(email__iexact=email).exists():
            message = _(
                "You can’t use this email address. If it is yours and you have an account, log in "
                "or reset your password."
            )
            raise forms.ValidationError(message, "unique")
        return email

    def clean(self) -> dict[str, Any]:
        if not self.has_pictures and not self.cleaned_data.get("password"):
            self.add_error("password", _("Choose a password, or enrol your face."))
        return super().clean()

    def _post_clean(self) -> None:
        super()._post_clean()  # type: ignore[misc]
        password = self.cleaned_data.get("password")
        if password:
            # Now the instance has a username and an address, which a password must not resemble.
            try:
                validate_password(password, self.instance)
            except forms.ValidationError as error:
                self.add_error("password", error)

    def create(self) -> User | None:
        """Save the new user, together with the face if there are pictures of one.

        Returns:
            The user. If the face cannot be enrolled, None: no user is saved, and the form has the
            reason as an error.

        Raises:
            IntegrityError: Somebody has just taken the username or the email address.
        """
        user: User = self.instance
        user.set_password(self.cleaned_data["password"] or None)
        if self.has_pictures:
            return user if self.enrol(user) else None
        with transaction.atomic():
            user.save()
        return user


class ResetForm(PasswordResetForm):
    """Django's form, which skips users without a password; here they get their first one."""

    def get_users(self, email: str) -> Iterator[User]:
        for user in User.objects.filter(email__iexact=email, is_active=True):
            # Some databases ignore more differences than case, and would find a similar address.
            if user.email.casefold() == email.casefold():
                yield user
