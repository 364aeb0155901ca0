"""Forms for passwords, which limit how many wrong ones an address can give for an account.

To compare a password takes as long as dozens of frames, whether or not there is such an account. So
passwords wait for a core as pictures do: no address can have all of them compare its passwords.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django import forms
from django.contrib.auth import authenticate
from django.contrib.auth.forms import AuthenticationForm
from django.http import HttpRequest
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from . import users
from .audit import notifications
from .capture import samples, turns
from .http import client_ip, rate_limit


class PasswordLimitMixin:
    """Limit how many wrong passwords an address can give for one account.

    Put it before ``AuthenticationForm``, or a form like it, in a login form of your own. See
    ``PASSWORDS_PER_HOUR``.
    """

    request: HttpRequest | None
    cleaned_data: dict[str, Any]

    def clean(self) -> dict[str, Any]:
        username = self.cleaned_data.get("username")
        if not username or not self.cleaned_data.get("password"):
            return super().clean()  # type: ignore[misc]
        with _comparing(self.request, username):
            return super().clean()  # type: ignore[misc]


class _RequestMixin:
    """Keep the request that a form is given."""

    def __init__(self, *args: Any, request: HttpRequest, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.request = request


class OldPasswordLimitMixin(_RequestMixin):
    """Limit how many wrong old passwords an address can give to change a password.

    Put it before ``PasswordChangeForm``, or a form like it, in a form of your own, and pass it the
    ``request``. Otherwise somebody who finds another person logged in could guess as often as they
    like.
    """

    user: Any

    def clean_old_password(self) -> str:
        with _comparing(self.request, users.username(self.user)):
            password: str = super().clean_old_password()  # type: ignore[misc]
        return password


class PasswordForm(PasswordLimitMixin, AuthenticationForm):
    """Username, or what else people log in with, and password."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if users.log_in_by_email() or users.has_own_backend():
            self.fields["username"].label = capfirst(users.login_name())


class OwnPasswordForm(_RequestMixin, forms.Form):
    """The password of the logged-in user, asked for again."""

    password = forms.CharField(
        label=_("Password"),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )

    def clean_password(self) -> str:
        user, password = self.request.user, str(self.cleaned_data["password"])
        # More attempts mean that another person is guessing in the user's session.
        with _comparing(self.request, users.username(user)):
            if not self._is_own(password):
                raise forms.ValidationError(
                    _("This password is not correct. Try again."), "invalid_login"
                )
        return password

    def _is_own(self, password: str) -> bool:
        """Return True if it is the user's password.

        Only the site's backends know whether they look for a username or an email address, so both
        are tried. A backend that looks for something else may not find the user by either.
        """
        user: Any = self.request.user
        names = (getattr(user, user.USERNAME_FIELD), notifications.address_of(user))
        for name in dict.fromkeys(filter(None, names)):
            if authenticate(self.request, username=name, password=password) == user:
                return True
        return bool(user.has_usable_password() and user.check_password(password))


@contextmanager
def _comparing(request: HttpRequest | None, username: str) -> Iterator[None]:
    """Count a password as wrong, unless what is done meanwhile raises no error.

    Raises:
        Busy: No core became free in time to compare it.
        TooManyPasswords: There were too many wrong ones.
    """
    with turns.of(client_ip.line(request), turns.BEGINNING), samples.turn():
        rate_limit.enforce_password(request, username)
        yield
        rate_limit.forgive_password(request, username)
