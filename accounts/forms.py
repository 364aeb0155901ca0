"""Sign-up, and a password reset that also works for those who have no password yet."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django import forms
from django.contrib.auth.forms import PasswordResetForm
from django.contrib.auth.password_validation import validate_password
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from faceauth import enrolment
from faceauth.forms import ConsentField, EnrolForm, SnapshotField

from .models import User


class SignUpForm(EnrolForm, forms.ModelForm):
    """A new account with a face, a password, or both."""

    password = forms.CharField(
        label=_("Password"),
        required=False,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=_("May be left empty if you enrol your face."),
    )
    consent = ConsentField(required=False)
    snapshot = SnapshotField(label=_("Pictures of your face"), required=False)

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
                "This e-mail address cannot be used. If it is yours and you have an account, log "
                "in or reset your password."
            )
            raise forms.ValidationError(message, "unique")
        return email

    def clean(self) -> dict[str, Any]:
        data = self.cleaned_data
        if data.get("snapshot"):
            if not data.get("consent"):
                self.add_error("consent", self.fields["consent"].error_messages["required"])
        elif not data.get("password") and "snapshot" not in self.errors:
            self.add_error("password", _("Choose a password, or enrol your face."))
        return super().clean()

    def _post_clean(self) -> None:
        super()._post_clean()  # type: ignore[misc]
        password = self.cleaned_data.get("password")
        if password:
            # Here the user has a name and an address, which a password must not resemble.
            try:
                validate_password(password, self.instance)
            except forms.ValidationError as error:
                self.add_error("password", error)

    def create(self) -> User:
        """The new user, face and all, or nobody.

        Raises:
            IntegrityError: somebody took the name or the address in the meantime.
            FaceError: the face cannot be enrolled.
        """
        user: User = self.instance
        data = self.cleaned_data
        user.set_password(data["password"] or None)
        with transaction.atomic():
            user.save()
            if "encodings" in data:
                consent = enrolment.Consent.from_request(self.request)
                enrolment.enrol(user, data["encodings"], consent, data["notes"])
        return user


class ResetForm(PasswordResetForm):
    """Django's, but for people without a password as well: they get their first one this way."""

    def get_users(self, email: str) -> Iterator[User]:
        for user in User.objects.filter(email__iexact=email, is_active=True):
            # Databases fold more letters than an address may be mistaken by.
            if user.email.casefold() == email.casefold():
                yield user
