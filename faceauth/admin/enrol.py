"""Enrol another user's face, with a webcam in front of the person or from photos."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse_lazy
from django.utils.text import format_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.generic import FormView

from faceauth import faces
from faceauth.fields import ConsentField, SnapshotField
from faceauth.forms import EnrolForm
from faceauth.models import FaceEvent
from faceauth.step_up import confirmation
from faceauth.views import CaptureMixin


class ConsentOfOtherField(ConsentField):
    """A checkbox with which the staff member confirms that the person agreed."""

    def __init__(self) -> None:
        super().__init__(
            label=gettext_lazy(
                "The person has agreed that this site keeps numbers computed from their face"
            ),
            help_text=format_lazy(
                '{} <a href="{}">{}</a>.',
                gettext_lazy("They know what that means and that they can withdraw consent:"),
                reverse_lazy("faceauth:notice"),
                gettext_lazy("What is kept, and for how long"),
            ),
            error_messages={
                "required": gettext_lazy("Without their consent their face cannot be used.")
            },
        )

    def explain_new_notice(self) -> None:
        changed = gettext_lazy("The notice has changed since they agreed to it.")
        self.help_text = format_lazy("{} <strong>{}</strong>", self.help_text, changed)


class EnrolOtherForm(EnrolForm):
    """The same form as on the site. Photos need no challenge: the staff member vouches for them."""

    consent = ConsentOfOtherField()
    snapshot = SnapshotField(label=gettext_lazy("Pictures of their face"))

    def __init__(self, *args: Any, photos: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.challenged = self.challenged and not photos

    def enforce_rate_limit(self) -> None:
        """Do not limit how many people staff can enrol."""


class EnrolForOtherView(CaptureMixin, FormView):
    """Enrol a user's face, or replace it. The caller has checked the permission."""

    form_class = EnrolOtherForm
    model_admin: Any = None
    user: Any = None
    photos = False

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Ask staff members who enrol themselves for their face, as on the site."""
        if self.user == request.user:
            max_age = confirmation.MAX_AGE_WITH_PICTURES
            if refusal := confirmation.refusal_to_change_face(request, max_age):
                return refusal
        return super().dispatch(request, *args, **kwargs)

    def get_template_names(self) -> list[str]:
        return [f"admin/faceauth/enrol_{'photos' if self.photos else 'webcam'}.html"]

    def get_form_kwargs(self) -> dict[str, Any]:
        return {**super().get_form_kwargs(), "user": self.user, "photos": self.photos}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        admin, name = self.model_admin, self.user.get_username()
        return super().get_context_data(
            **admin.admin_site.each_context(self.request),
            title=_("Enrol the face of %(name)s") % {"name": name},
            opts=admin.opts,
            owner=self.user,
            face=faces.of(self.user),
            media=admin.media,
            change_url=admin.face_url("change", self.user),
            enrol_url=admin.face_url("face_enrol", self.user),
            photos_url=admin.face_url("face_photos", self.user),
            photos=self.photos,
            **kwargs,
        )

    def form_valid(self, form: EnrolOtherForm) -> HttpResponse:
        user, event = self.user, form.enrol(self.user, by=self.request.user)
        if event is None:
            return self.form_invalid(form)
        replaced = event.kind == FaceEvent.Kind.REPLACED
        self.model_admin.log_change(self.request, user, self._log_entry(replaced))
        message = _("The face of %(name)s was enrolled.") % {"name": user.get_username()}
        return self.success_response(user, message, self.model_admin.face_url("change", user))

    def _log_entry(self, replaced: bool) -> str:
        """Return the entry for the admin's log.

        Args:
            replaced: Whether a face was enrolled before.
        """
        if self.photos:
            done = _("Face replaced (photos)") if replaced else _("Face enrolled (photos)")
        else:
            done = _("Face replaced (webcam)") if replaced else _("Face enrolled (webcam)")
        return _("%(done)s; confirmed that the person agreed.") % {"done": done}
