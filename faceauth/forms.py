"""Forms that contain pictures. A problem with a picture becomes a form error with a code.

A form's `clean` first refuses what it can refuse without analysing pictures, because analysing them
costs the most.
"""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.contrib.auth import authenticate
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.forms import AuthenticationForm
from django.http import HttpRequest
from django.utils.functional import cached_property
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from . import backends, code_login, conf, devices, errors, users
from .capture import samples
from .challenged_form import ChallengedForm
from .enrolment_forms import EnrolForm, EnrolFormMixin
from .fields import SnapshotField, TrustField
from .liveness import challenge as challenges
from .lockout import attempts
from .models import FaceDevice
from .password_forms import (
    OldPasswordLimitMixin,
    OwnPasswordForm,
    PasswordForm,
    PasswordLimitMixin,
)

__all__ = [
    "ChallengedForm",
    "CodeForm",
    "EnrolForm",
    "EnrolFormMixin",
    "FaceLoginForm",
    "OldPasswordLimitMixin",
    "OwnFaceForm",
    "OwnPasswordForm",
    "PasswordForm",
    "PasswordLimitMixin",
]


class FaceLoginForm(ChallengedForm):
    """Authenticate by face: on a trusted device alone, elsewhere as ``UNKNOWN_DEVICES`` says.

    The form itself logs nobody in. If `needs_code` is True, a valid form means only that the face
    was looked at: `user` may be None, and `code_login` goes on alike in both cases.
    """

    # More arguments for `FaceBackend.authenticate`.
    authenticate_options: ClassVar[dict[str, Any]] = {}
    # If False, the form refuses faces on unknown devices where other forms lead to a code.
    offers_code = True
    # The site's form for passwords, whose `confirm_login_allowed` applies to faces as well. Set by
    # the view.
    password_form: Any = AuthenticationForm

    username = forms.CharField(
        required=False,
        max_length=254,
        strip=False,
        widget=forms.TextInput(
            attrs={"autocomplete": "username", "autocapitalize": "none", "spellcheck": "false"}
        ),
    )
    snapshot = SnapshotField(label=_("A picture of your face"))
    # What a trusted browser with a key signs, and its signature.
    device_nonce = forms.CharField(required=False, max_length=256, widget=forms.HiddenInput)
    device_signature = forms.CharField(required=False, max_length=256, widget=forms.HiddenInput)

    def __init__(self, request: HttpRequest | None = None, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, request=request, **kwargs)
        self.user: AbstractBaseUser | None = None
        self.result = backends.Result()
        self.challenged = conf.get().CHALLENGE is not None
        self.fields["username"].label = capfirst(self.login_name)
        field: Any = self.fields["snapshot"]
        field.frames = conf.get().LOGIN_FRAMES
        # The frames were sent before.
        field.required = not self.challenged

    @property
    def login_name(self) -> Any:
        """Return the label of the name that people log in with, such as "username or email"."""
        return users.login_name()

    @property
    def claimed_username(self) -> str | None:
        """Return the username or email address that the visitor gave, or None."""
        given: str | None = self["username"].value()
        return given or None

    @cached_property
    def device(self) -> FaceDevice | None:
        """Return the trusted device that sends the form, if the claimed user trusts it."""
        if self.request is None:
            return None
        values = [str(self[name].value() or "") for name in ("device_nonce", "device_signature")]
        device = devices.recognise(self.request, *values)
        self._people = devices.people_named(self.request, device, self.claimed_username)
        return device if self._people else None

    @property
    def people(self) -> list[Any]:
        """Return the users whom the visitor can be, if that is known; otherwise an empty list."""
        return self._people if self.device else []

    @property
    def face_is_enough(self) -> bool:
        """Return True if the face alone logs in here."""
        return self.device is not None or conf.get().UNKNOWN_DEVICES == "allow"

    @property
    def needs_code(self) -> bool:
        """Return True if the face is only the first of two factors here."""
        code = self.offers_code and conf.get().UNKNOWN_DEVICES == "code"
        return code and not self.face_is_enough

    def clean_username(self) -> str:
        if not self.claimed_username and not self.people and not conf.get().FACE_ALONE:
            raise errors.UsernameNeeded(self.login_name)
        return str(self.cleaned_data["username"])

    def clean(self) -> dict[str, Any]:
        people = self.people
        attempts.check(self.request, self.claimed_username, device=self.device, people=people)
        if self.errors:
            return self.cleaned_data
        if not self.face_is_enough and not self.needs_code:
            raise errors.UnknownDevice()
        try:
            shown = self._shown()
        except errors.FaceError as error:
            attempts.count_unusable(self.request, error, self.device, people)
            self.add_error("snapshot", error)
            return self.cleaned_data
        self.user = self._authenticate(shown)
        if self.needs_code:
            return self.cleaned_data
        if self.user is None:
            if self.claimed_username:
                raise errors.NotRecognised()
            raise errors.NotRecognisedAlone(self.login_name)
        self.confirm_login_allowed(self.user)
        return self.cleaned_data

    def _shown(self) -> dict[str, Any]:
        """Return what shows the face, as arguments of `FaceBackend.authenticate`.

        Raises:
            FaceError: There is no challenge, or a picture cannot be used.
        """
        if self.challenged:
            return {"challenge": self.passed_challenge}
        # An iterator, because receivers of user_login_failed get the same arguments: it is then
        # exhausted, so they get no pictures.
        return {"snapshot": iter(samples.analyse(self.cleaned_data["snapshot"], small=True))}

    def _authenticate(self, shown: dict[str, Any]) -> AbstractBaseUser | None:
        """Return the user whose face was shown, or None."""
        arguments: dict[str, Any] = {
            **shown,
            "username": self.claimed_username,
            "device": self.device,
            **self.authenticate_options,
        }
        if self.needs_code:
            self.result = backends.configured().attempt(self.request, **arguments)
            return self.result.user
        return authenticate(self.request, **arguments)

    def confirm_login_allowed(self, user: AbstractBaseUser) -> None:
        """Apply the site's rule about who may log in: that of its password form.

        Raises:
            ValidationError: The rule refuses this user.
        """
        self.password_form(self.request).confirm_login_allowed(user)

    def get_user(self) -> AbstractBaseUser | None:
        """Return the user who was recognised."""
        return self.user


class CodeForm(forms.Form):
    """The code that was sent by email after the face was looked at. It logs nobody in itself."""

    # As in `FaceLoginForm`.
    password_form: Any = AuthenticationForm

    code = forms.CharField(
        label=_("Code"),
        # Room for spaces and dashes between the digits.
        max_length=20,
        widget=forms.TextInput(
            attrs={"autocomplete": "one-time-code", "inputmode": "numeric", "spellcheck": "false"}
        ),
    )
    trust = TrustField()

    def __init__(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.request = request
        self.user: AbstractBaseUser | None = None

    def clean_code(self) -> str:
        self.user = code_login.finish(self.request, str(self.cleaned_data["code"]))
        return str(self.cleaned_data["code"])

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        if self.user is not None:
            self.password_form(self.request).confirm_login_allowed(self.user)
        return data

    def get_user(self) -> AbstractBaseUser | None:
        """Return the user to whom the code was sent."""
        return self.user


class OwnFaceForm(FaceLoginForm):
    """Authenticate a known user by face, 1:1. A username in the request is ignored."""

    def __init__(self, *args: Any, owner: Any, **kwargs: Any) -> None:
        self.owner = owner
        super().__init__(*args, **kwargs)
        logged_in = owner == getattr(self.request, "user", None)
        self.purpose = challenges.CONFIRM if logged_in else challenges.SECOND_STEP

    @property
    def claimed_username(self) -> str | None:
        return None

    @property
    def people(self) -> list[Any]:
        """Return the owner, who may not be found by a name."""
        return [self.owner]

    @cached_property
    def device(self) -> FaceDevice | None:
        """Return None: the owner is known already, on whatever device."""
        return None

    @property
    def face_is_enough(self) -> bool:
        """Return True: the face is not the only factor."""
        return True

    def _authenticate(self, shown: dict[str, Any]) -> AbstractBaseUser | None:
        options = {**shown, "owner": self.owner, **self.authenticate_options}
        return authenticate(self.request, **options)

    def clean(self) -> dict[str, Any]:
        message = _("We didn’t recognise you. Look straight into the camera and try again.")
        try:
            data = super().clean()
        except errors.NotRecognised as error:
            raise errors.NotRecognised(message) from error
        # Another backend may answer as well.
        if self.user not in (None, self.owner):
            raise errors.NotRecognised(message)
        return data
