"""Forms that contain pictures. A problem with a picture becomes a form error with a code.

A form's `clean` first refuses what it can refuse without analysing pictures, because analysing them
costs the most.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from django import forms
from django.contrib.auth import authenticate
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.forms import AuthenticationForm
from django.core.files.uploadedfile import UploadedFile
from django.forms.utils import ErrorDict
from django.http import HttpRequest
from django.utils.functional import cached_property
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from . import backends, code_login, conf, devices, enrolment, errors, users
from .capture import samples
from .enrolment import shots
from .fields import ConsentField, SnapshotField, TrustField
from .http import rate_limit
from .liveness import challenge as challenges
from .liveness import replay
from .lockout import attempts
from .models import FaceDevice, FaceEvent
from .password_forms import OwnPasswordForm, PasswordForm, PasswordLimitMixin
from .vision.encoding import Encoding

__all__ = [
    "ChallengedForm",
    "CodeForm",
    "EnrolForm",
    "EnrolFormMixin",
    "FaceLoginForm",
    "OwnFaceForm",
    "OwnPasswordForm",
    "PasswordForm",
    "PasswordLimitMixin",
]


class ChallengedForm(forms.Form):
    """A form that can require a liveness challenge, which the page has passed before it is sent.

    Attributes:
        challenged: Whether a challenge is required.
        purpose: What the challenge must have been opened for.
    """

    challenged = False
    purpose = challenges.LOGIN

    challenge = forms.CharField(required=False, max_length=64, widget=forms.HiddenInput)

    def __init__(self, *args: Any, request: HttpRequest | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.request = request

    @property
    def passed_challenge(self) -> str:
        """Return the challenge that the page says it has passed.

        Raises:
            CameraNeeded: There is none.
        """
        if token := self.cleaned_data.get("challenge"):
            return str(token)
        raise errors.CameraNeeded()


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
        """What the name is called that people log in with: "username or email", or one of them."""
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


class EnrolFormMixin(ChallengedForm):
    """The part of a form that enrols a face: consent, pictures, and the answer to a challenge.

    For a sign-up form of your own, put it before ``forms.ModelForm``. Pass ``request`` to the
    form, render it with ``faceauth/capture.html``, and call `enrol` once the form is valid. The
    form counts the sign-ups of an address, and refuses too many an hour.

    Args:
        user: The owner of the face; by default the user who is logged in.
    """

    face_required = True
    """If False, the form can be sent without pictures, and then needs no consent."""

    purpose = challenges.ENROL
    _answer: challenges.Answer | None = None

    consent = ConsentField()
    snapshot = SnapshotField(label=_("Pictures of your face"))

    def __init__(self, *args: Any, user: Any = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        user = user or getattr(self.request, "user", None)
        consent: Any = self.fields["consent"]
        snapshot: Any = self.fields["snapshot"]
        consent.required = snapshot.required = self.face_required
        snapshot.shots = conf.get().ENROLMENT_SHOTS
        self.challenged = bool(conf.get().CHALLENGE and conf.get().CHALLENGE_AT_ENROLMENT)
        if enrolment.consent_is_outdated(user):
            consent.explain_new_notice()

    @property
    def has_pictures(self) -> bool:
        """Return True if pictures of a face were sent."""
        return bool(self.files.getlist(self.add_prefix("snapshot")))

    def enrol(self, user: Any, *, by: Any = None) -> FaceEvent | None:
        """Enrol the face in the pictures of a valid form.

        Args:
            user: The owner of the face. A user who has not been saved is saved first.
            by: The staff member who enrols the face for its owner.

        Returns:
            The event, as `enrolment.enrol` returns it. If the face cannot be enrolled, None: the
            form then has the reason as an error; show it again.
        """
        consent = enrolment.Consent.from_request(self.request)
        encodings, notes = self.cleaned_data["encodings"], self.cleaned_data["notes"]
        try:
            event = enrolment.enrol(user, encodings, consent, notes, request=self.request, by=by)
        except errors.FaceError as error:
            self.add_error("snapshot", error)
            return None
        if self._answer is not None:
            replay.remember(user, None, self._answer.take)
        return event

    def full_clean(self) -> None:
        # First: otherwise the errors of the fields go on telling which usernames are taken.
        try:
            if self.is_bound:
                self.enforce_rate_limit()
        except errors.TooManyAttempts as error:
            self.cleaned_data, self._errors = {}, ErrorDict(renderer=self.renderer)
            self.add_error(None, error)
        else:
            super().full_clean()

    def clean(self) -> dict[str, Any]:
        super().clean()
        data = self.cleaned_data
        if self.has_pictures and not data.get("consent") and "consent" not in self.errors:
            self.add_error("consent", self.fields["consent"].error_messages["required"])
        if data.get("snapshot") and not self.errors:
            try:
                self._analyse(data["snapshot"])
            except errors.FaceError as error:
                self.add_error("snapshot", error)
        return data

    def enforce_rate_limit(self) -> None:
        """Count this form as a sign-up of its address, with or without pictures.

        Also if somebody is logged in: a form that creates accounts makes a new user each time.

        Raises:
            TooManyAttempts: There were ``ENROLMENTS_PER_HOUR`` before it.
        """
        if self.request is not None:
            rate_limit.enforce_sign_up(self.request)

    def _analyse(self, files: Sequence[UploadedFile]) -> None:
        """Add to the cleaned data the encodings, float32 (n, d), and the notes on the pictures.

        Raises:
            FaceError: A picture cannot be used, or is not of the person who answered the challenge.
        """
        if self.challenged and self.request is not None:
            # Before anything large is analysed. It is used up only once the pictures are good.
            challenges.require_passed(self.request, self.passed_challenge, challenges.ENROL)
        analysed = samples.analyse(files)
        live = self._live_encodings() if self.challenged else None
        source = shots.source_of(each.name for each in files)
        self.cleaned_data["encodings"] = encodings = samples.encodings(analysed)
        self.cleaned_data["notes"] = shots.notes(source, [each.quality for each in analysed])
        if live is not None:
            enrolment.check_same_person(np.vstack([encodings, live]))

    def _live_encodings(self) -> Encoding:
        """Return the encodings, float32 (n, d), of the person who answered the challenge.

        Raises:
            FaceError: The challenge was not passed, or too long ago.
        """
        if self.request is None:
            raise errors.CameraNeeded()
        self._answer = challenges.redeem(self.request, self.passed_challenge, challenges.ENROL)
        return self._answer.encodings[:1]


class EnrolForm(EnrolFormMixin):
    """The form of the enrolment page."""

    def enforce_rate_limit(self) -> None:
        """Count the pictures for the logged-in user."""
        if self.request is not None and self.has_pictures:
            limit = conf.get().ENROLMENTS_PER_HOUR
            rate_limit.enforce("enrol", self.request.user.pk, limit, rate_limit.HOUR)
