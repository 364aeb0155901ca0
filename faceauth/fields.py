"""The fields of forms that contain pictures, ask for consent or trust the browser.

Fields only count pictures: analysing them costs the most, so forms do it last.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.urls import reverse_lazy
from django.utils.datastructures import MultiValueDict
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from . import conf, errors


class SnapshotInput(forms.FileInput):
    """A file input for several pictures. On phones it opens the front camera."""

    allow_multiple_selected = True

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__({"accept": "image/*", "capture": "user", **(attrs or {})})

    def value_from_datadict(
        self, data: Mapping[str, Any], files: MultiValueDict[str, UploadedFile], name: str
    ) -> list[UploadedFile]:
        return files.getlist(name)


class SnapshotField(forms.Field):
    """One or more pictures of a face. Cleans to the uploaded files, which are not analysed yet.

    Args:
        shots: The minimum number of pictures.
        frames: The number of pictures that the page takes in one burst.
    """

    widget = SnapshotInput

    def __init__(self, *, shots: int = 1, frames: int = 1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.shots = shots
        self.frames = frames

    def clean(self, value: Sequence[UploadedFile]) -> Sequence[UploadedFile]:
        """Return the files.

        Raises:
            MissingSnapshot: There are too few.
            TooLarge: There are too many.
        """
        if not value:
            if self.required:
                raise errors.MissingSnapshot()
            return []
        if len(value) < self.shots:
            message = _("Some pictures are missing. Take or choose all %(count)d.")
            raise errors.MissingSnapshot(message % {"count": self.shots})
        if len(value) > conf.get().MAX_SNAPSHOTS:
            raise errors.TooLarge(_("There are too many pictures. Send fewer."))
        return value


class TrustField(forms.BooleanField):
    """The tick box that trusts the browser; `views.LoginView` and others read it."""

    def __init__(self, **kwargs: Any) -> None:
        label = _("Trust this browser: next time your face is enough here")
        super().__init__(**{"label": label, "required": False, "initial": True, **kwargs})


# Named so that templates, which go by the name of the class, recognise a checkbox.
class Checkbox(forms.CheckboxInput):
    """A checkbox that submits the version of the notice.

    If the notice changed after the page was opened, the user has not agreed to the new version.
    """

    def format_value(self, value: Any) -> str:
        return conf.get().NOTICE_VERSION

    def value_from_datadict(self, data: Mapping[str, Any], files: Any, name: str) -> bool:
        # "on" is what a checkbox without a value submits, as in a form of your own.
        return data.get(name) in (conf.get().NOTICE_VERSION, "on")


class ConsentField(forms.BooleanField):
    """The consent to use the face, which is given at each enrolment."""

    widget = Checkbox

    def __init__(self, **kwargs: Any) -> None:
        used_for = _(
            "They are used only to recognise you when you log in. No picture is kept. You can "
            "remove your face at any time."
        )
        link = reverse_lazy("faceauth:notice"), _("What is kept, and for how long")
        required = _("We can’t use your face without your consent. Tick the box to agree.")
        defaults = {
            "label": _("I agree that this site keeps numbers computed from my face"),
            "help_text": format_lazy('{} <a href="{}">{}</a>.', used_for, *link),
            "error_messages": {"required": required},
        }
        super().__init__(**{**defaults, **kwargs})

    def explain_new_notice(self) -> None:
        """Add to the help text why a user who has agreed before is asked again."""
        changed = _("The notice has changed since you agreed to it.")
        self.help_text = format_lazy("{} <strong>{}</strong>", self.help_text, changed)
