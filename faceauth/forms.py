"""Forms with pictures in them. What is wrong with a picture is a form error with a code."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.contrib.auth import authenticate
from django.contrib.auth.base_user import AbstractBaseUser
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest
from django.utils.datastructures import MultiValueDict
from django.utils.translation import gettext_lazy as _

from . import attempts, capture, conf, devices, enrolment, errors


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
    """One or more pictures, each with one usable face. Cleans to a list of `capture.Look`.

    shots: how many pictures there have to be.
    frames: how many the page takes for each.
    """

    widget = SnapshotInput

    def __init__(self, *, shots: int = 1, frames: int = 1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.shots = shots
        self.frames = frames

    def clean(self, value: Sequence[UploadedFile]) -> list[capture.Look]:
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
        return capture.looks(value)


class FaceLoginForm(forms.Form):
    """A face, and for a stricter comparison a username; logs nobody in by itself."""

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
        super().__init__(*args, **kwargs)
        self.request = request
        self.user: AbstractBaseUser | None = None
        field: Any = self.fields["snapshot"]
        field.frames = conf.get().LOGIN_FRAMES

    @property
    def claimed(self) -> str | None:
        """Whom the visitor says to be: the username given, else the one remembered."""
        given: str | None = self["username"].value()
        return given or (devices.remembered(self.request) if self.request else None)

    def _clean_fields(self) -> None:
        # What can be refused without a look is: pictures cost the most.
        if not self.claimed and not conf.get().FACE_ALONE:
            self.add_error("username", errors.UsernameNeeded())
        elif seconds := attempts.wait(self.request, self.claimed):
            self.add_error(None, errors.TooManyAttempts(seconds))
        else:
            super()._clean_fields()  # type: ignore[misc]

    def clean(self) -> dict[str, Any]:
        looks = self.cleaned_data.get("snapshot")
        if looks and not self.errors:
            # Receivers of user_login_failed get what authenticate gets, but an iterator used up.
            self.user = authenticate(self.request, snapshot=iter(looks), username=self.claimed)
            if self.user is None:
                raise errors.NotRecognised() if self.claimed else errors.NotRecognisedAlone()
        return self.cleaned_data

    def get_user(self) -> AbstractBaseUser | None:
        """The user who was recognised."""
        return self.user


class ConsentField(forms.BooleanField):
    """Leave to use the face, given each time."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("label", _("I agree that this site keeps numbers computed from my face"))
        kwargs.setdefault(
            "help_text",
            _(
                "They serve to recognise you when you log in, and for nothing else. No picture is "
                "kept. You can remove your face at any time on your profile page."
            ),
        )
        kwargs.setdefault(
            "error_messages", {"required": _("Without your consent your face cannot be used.")}
        )
        super().__init__(**kwargs)


class EnrolForm(forms.Form):
    """The pictures that a template is made from; cleaned, ``encodings`` are float32 (n, 128)."""

    consent = ConsentField()
    snapshot = SnapshotField(label=_("Pictures of your face"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["snapshot"]
        field.shots = conf.get().ENROLMENT_SHOTS

    def clean(self) -> dict[str, Any]:
        super().clean()
        looks = self.cleaned_data.get("snapshot")
        if looks and not self.errors:
            self.cleaned_data["encodings"] = encodings = capture.encodings(looks)
            enrolment.check_same_person(encodings)
            enrolment.check_no_copies(encodings)
        return self.cleaned_data
