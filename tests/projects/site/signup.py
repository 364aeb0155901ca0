"""A sign-up with the face in its own form, as other projects may have one.

The example site asks for the face afterwards.
"""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth import login
from django.contrib.auth.password_validation import validate_password
from django.contrib.auth.views import RedirectURLMixin
from django.http import HttpResponse
from django.views.generic import CreateView

from accounts.models import User
from faceauth.forms import EnrolFormMixin
from faceauth.views import CaptureMixin


class SignUpForm(EnrolFormMixin, forms.ModelForm):
    """A new account with a face, a password, or both."""

    face_required = False

    password = forms.CharField(required=False, strip=False, widget=forms.PasswordInput)

    class Meta:
        model = User
        fields = ("username", "email")

    def clean_password(self) -> str:
        password: str = self.cleaned_data["password"]
        if password:
            validate_password(password)
        return password

    def clean(self) -> dict[str, Any]:
        if not self.has_pictures and not self.cleaned_data.get("password"):
            self.add_error("password", "Choose a password, or enrol your face.")
        return super().clean()

    def create(self) -> User | None:
        """Return the new user; None if the face cannot be enrolled."""
        user: User = self.instance
        user.set_password(self.cleaned_data["password"] or None)
        if self.has_pictures:
            return user if self.enrol(user) else None
        user.save()
        return user


class SignUpView(CaptureMixin, RedirectURLMixin, CreateView):
    """Create an account, and log its user in."""

    template_name = "sign_up_with_face.html"
    form_class = SignUpForm
    next_page = "accounts:profile"

    def form_valid(self, form: Any) -> HttpResponse:
        user = form.create()
        if user is None:
            return self.form_invalid(form)
        login(self.request, user, backend="django.contrib.auth.backends.ModelBackend")
        message = f"Welcome, {user.get_username()}. Your account is ready."
        return self.success_response(user, message, self.get_success_url())
