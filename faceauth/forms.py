"""Forms with pictures in them. What is wrong with a picture is a form error with a code."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from django import forms
from django.contrib.auth import authenticate
from django.contrib.auth.base_user import AbstractBaseUser
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest
from django.urls import reverse_lazy
from django.utils.datastructures import MultiValueDict
from django.utils.functional import cached_property
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from . import conf, enrolment, errors, users
from .capture import samples
from .devices import remembered
from .enrolment import shots
from .http import rate_limit
from .liveness import challenge, head_turns
from .liveness.head_turns import NotLiveError
from .lockout import attempts
from .vision.encoding import Encoding


class SnapshotInput(forms.FileInput):
    """Takes all files of its name. On phones it opens the camera on the user's side."""

    allow_multiple_selected = True

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__({"accept": "image/*", "capture": "user", **(attrs or {})})

    def value_from_datadict(
        self, data: Mapping[str, Any], files: MultiValueDict[str, UploadedFile], name: str
    ) -> list[UploadedFile]:
        return files.getlist(name)

    def value_omitted_from_data(
        self, data: Mapping[str, Any], files: MultiValueDict[str, UploadedFile], name: str
    ) -> bool:
        return name not in files


class SnapshotField(forms.Field):
    """One or more pictures, each with one usable face. Cleans to a list of `Sample`.

    shots: how many pictures there have to be.
    frames: how many the page takes for each.
    """

    widget = SnapshotInput

    def __init__(self, *, shots: int = 1, frames: int = 1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.shots = shots
        self.frames = frames

    def clean(self, value: Sequence[UploadedFile]) -> list[samples.Sample]:
        """The pictures, looked at.

        Raises:
            FaceError: the first thing that is wrong with one of them.
        """
        if not value:
            if self.required:
                raise errors.MissingSnapshot()
            return []
        if len(value) < self.shots:
            message = _("%(count)d pictures are needed. Choose or take them all.")
            raise errors.MissingSnapshot(message % {"count": self.shots})
        if len(value) > conf.get().MAX_SNAPSHOTS:
            raise errors.TooLarge(_("There are too many pictures."))
        return samples.analyse(value)


class MovementField(forms.Field):
    """The frames of a challenge's answer, in order of time. Cleans to files, which are not looked
    at before it is known that there is such a challenge.
    """

    widget = SnapshotInput
    shots = frames = 1

    def clean(self, value: Sequence[UploadedFile]) -> Sequence[UploadedFile]:
        """The files.

        Raises:
            TooLarge: there are too many.
        """
        if len(value) > head_turns.MAX_FRAMES:
            raise errors.TooLarge(_("There are too many pictures."))
        return value


class ChallengedForm(forms.Form):
    """A form that only somebody who is there can send, where the site asks for that."""

    challenge = forms.CharField(required=False, max_length=1024, widget=forms.HiddenInput)

    def __init__(self, *args: Any, request: HttpRequest | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.request = request

    def answer(self, files: Sequence[UploadedFile]) -> tuple[list[samples.Sample], list[str]]:
        """The frames, looked at, and the turns that they have to show. Spends the challenge.

        Raises:
            FaceError: there is no challenge to answer, or something is wrong with a frame.
        """
        token = self.cleaned_data.get("challenge")
        if not token or not files or self.request is None:
            raise errors.CameraNeeded()
        turns = challenge.redeem(self.request, token)
        return samples.analyse_movement(files), turns


class FaceLoginForm(ChallengedForm):
    """A face, and for a stricter comparison a username; logs nobody in by itself."""

    # What `FaceBackend.authenticate` is asked for besides.
    authenticate_options: ClassVar[dict[str, Any]] = {}

    username = forms.CharField(
        label=_("Username (optional)"),
        required=False,
        max_length=254,
        strip=False,
        widget=forms.TextInput(
            attrs={"autocomplete": "username", "autocapitalize": "none", "spellcheck": "false"}
        ),
    )
    snapshot = SnapshotField(label=_("A picture of your face"))
    remember = forms.BooleanField(label=_("Remember me on this device"), required=False)

    def __init__(self, request: HttpRequest | None = None, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, request=request, **kwargs)
        self.user: AbstractBaseUser | None = None
        self.challenged = conf.get().CHALLENGE is not None
        field: Any = self.fields["snapshot"]
        field.frames = conf.get().LOGIN_FRAMES
        if self.challenged:
            self.fields["snapshot"] = MovementField(label=field.label, required=False)

    @cached_property
    def claimed_username(self) -> str | None:
        """Whom the visitor says to be: the username given, else the one remembered."""
        given: str | None = self["username"].value()
        return given or (remembered.remembered_username(self.request) if self.request else None)

    def _clean_fields(self) -> None:
        # What can be refused without a look is: pictures cost the most.
        if not self.claimed_username and not conf.get().FACE_ALONE:
            self.add_error("username", errors.UsernameNeeded())
        elif seconds := attempts.retry_after(self.request, self.claimed_username):
            self.add_error(None, errors.TooManyAttempts(seconds))
        else:
            super()._clean_fields()  # type: ignore[misc]

    def clean(self) -> dict[str, Any]:
        if self.errors:
            return self.cleaned_data
        analysed, turns = self.cleaned_data["snapshot"], None
        if self.challenged:
            try:
                analysed, turns = self.answer(analysed)
            except errors.FaceError as error:
                self.add_error("snapshot", error)
                return self.cleaned_data
            self.cleaned_data["snapshot"] = analysed
        # Receivers of user_login_failed get what authenticate gets, but an iterator used up.
        self.user = authenticate(
            self.request,
            snapshot=iter(analysed),
            username=self.claimed_username,
            turns=turns,
            **self.authenticate_options,
        )
        if self.user is None:
            raise errors.NotRecognised() if self.claimed_username else errors.NotRecognisedAlone()
        return self.cleaned_data

    def get_user(self) -> AbstractBaseUser | None:
        """The user who was recognised."""
        return self.user


class OwnFaceForm(FaceLoginForm):
    """The face of a user who is known: whoever they say to be, it is compared with theirs."""

    def __init__(self, *args: Any, owner: Any, **kwargs: Any) -> None:
        self.owner = owner
        super().__init__(*args, **kwargs)

    @cached_property
    def claimed_username(self) -> str | None:
        return users.username(self.owner)

    def clean(self) -> dict[str, Any]:
        message = _("You were not recognised. Look straight into the camera and try again.")
        try:
            data = super().clean()
        except errors.NotRecognised as error:
            raise errors.NotRecognised(message) from error
        if self.user not in (None, self.owner):  # backends of others may know names by other rules
            raise errors.NotRecognised(message)
        return data


class OwnPasswordForm(forms.Form):
    """The password of the user who is logged in, asked for again."""

    # Per hour; whoever guesses on has somebody's session.
    MAX_PER_HOUR = 20

    password = forms.CharField(
        label=_("Password"),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )

    def __init__(self, *args: Any, request: HttpRequest, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.request = request

    def clean_password(self) -> str:
        user, password = self.request.user, str(self.cleaned_data["password"])
        try:
            rate_limit.enforce("password", user.pk, self.MAX_PER_HOUR, rate_limit.HOUR)
        except errors.TooManyPictures as error:
            raise errors.TooManyPasswords(error.retry_after or rate_limit.HOUR) from error
        found = authenticate(self.request, username=user.get_username(), password=password)
        if found != user:
            raise forms.ValidationError(_("This is not your password."), "invalid_login")
        return password


class Checkbox(forms.CheckboxInput):
    """Sends the version of the notice that is agreed to. One that came after the page was opened
    has not been agreed to. To templates, which go by the class's name, it is a checkbox.
    """

    def format_value(self, value: Any) -> str:
        return conf.get().NOTICE_VERSION

    def value_from_datadict(self, data: Mapping[str, Any], files: Any, name: str) -> bool:
        # "on" is what boxes send that have no value, as in a form written by hand.
        return data.get(name) in (conf.get().NOTICE_VERSION, "on")


class ConsentField(forms.BooleanField):
    """Leave to use the face, given each time."""

    widget = Checkbox

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("label", _("I agree that this site keeps numbers computed from my face"))
        kwargs.setdefault(
            "help_text",
            format_lazy(
                '{} <a href="{}">{}</a>.',
                _(
                    "They serve to recognise you when you log in, and for nothing else. No picture "
                    "is kept. You can remove your face at any time."
                ),
                reverse_lazy("faceauth:notice"),
                _("What is kept, and for how long"),
            ),
        )
        kwargs.setdefault(
            "error_messages", {"required": _("Without your consent your face cannot be used.")}
        )
        super().__init__(**kwargs)

    def explain_new_notice(self) -> None:
        """Say to who has agreed before why they are asked."""
        changed = _("What is written there has changed since you agreed to it.")
        self.help_text = format_lazy("{} <strong>{}</strong>", self.help_text, changed)


class EnrolForm(ChallengedForm):
    """The pictures that a template is made from; cleaned, ``encodings`` are float32 (n, 128), and
    ``notes`` what is kept of the pictures.
    """

    consent = ConsentField()
    snapshot = SnapshotField(label=_("Pictures of your face"))
    frame = MovementField(required=False)

    def __init__(self, *args: Any, user: Any = None, **kwargs: Any) -> None:
        """user: whose face it is; by default the visitor's own."""
        super().__init__(*args, **kwargs)
        user = user or getattr(self.request, "user", None)
        field: Any = self.fields["snapshot"]
        field.shots = conf.get().ENROLMENT_SHOTS
        self.challenged = bool(conf.get().CHALLENGE and conf.get().CHALLENGE_AT_ENROLMENT)
        if enrolment.consent_is_outdated(user):
            consent: Any = self.fields["consent"]
            consent.explain_new_notice()

    def clean(self) -> dict[str, Any]:
        super().clean()
        analysed = self.cleaned_data.get("snapshot")
        if analysed and not self.errors:
            live = self._live() if self.challenged else None
            self.cleaned_data["encodings"] = encodings = samples.encodings(analysed)
            self.cleaned_data["notes"] = self._notes(analysed)
            enrolment.check_same_person(encodings)
            enrolment.check_no_copies(encodings)
            if live is not None:
                enrolment.check_same_person(np.vstack([encodings, live]))
        return self.cleaned_data

    def _notes(self, analysed: Sequence[samples.Sample]) -> list[shots.Note]:
        files = self.files.getlist(self.add_prefix("snapshot"))
        source = shots.source_of(each.name for each in files)
        return shots.notes(source, [each.quality for each in analysed])

    def _live(self) -> Encoding:
        """The encodings, float32 (n, 128), of whoever is there.

        Raises:
            FaceError: nobody is, as far as the frames show.
        """
        analysed, turns = self.answer(self.cleaned_data["frame"])
        try:
            return samples.probe_encodings(challenge.check_answer(analysed, turns)[:1])
        except NotLiveError as error:
            raise errors.ChallengeFailed() from error
