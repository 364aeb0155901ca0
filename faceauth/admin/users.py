"""Faces in the user admin of a project."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.contrib.admin.utils import flatten_fieldsets, quote, unquote
from django.core.exceptions import PermissionDenied
from django.db.models import Exists, F, OuterRef, QuerySet, Value
from django.db.models.constants import LOOKUP_SEP
from django.db.models.functions import Coalesce
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.loader import render_to_string
from django.urls import path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from faceauth import devices, enrolment, faces
from faceauth.enrolment import lookalikes, shots
from faceauth.models import FailureCount

from . import outcome_labels
from .actions import FaceActions
from .enrol import EnrolForOtherView
from .filters import FILTERS

COLUMNS = ("face_enrolled", "face_shot_count", "face_quality_bar", "face_last_login", "face_state")

# Columns that no list needs. They are the longest ones of a row.
ENCODINGS = ("face_encodings", "face_enrolled_encodings")

# The maximum number of search results that are then listed by their keys.
MAX_KEYS = 1000

# The number of events shown on the page of a user.
MAX_EVENTS = 10

# The maximum number of look-alikes shown on the page of a user.
MAX_LOOK_ALIKES = 5

_NEVER = Value(datetime(1, 1, 1, tzinfo=UTC if settings.USE_TZ else None))


class FaceAdminMixin(FaceActions):
    """Add faces to the admin of the user model. Put it first among the base classes.

    For example, ``class UserAdmin(FaceAdminMixin, django.contrib.auth.admin.UserAdmin)``.

    The mixin adds columns, filters and actions to the list, and a panel about the face to the page
    of a user. Staff need the permissions ``faceauth.view_face``, ``faceauth.enrol_face`` and
    ``faceauth.remove_face`` for them. Lists never read encodings, and no page shows them.
    """

    # Half of Django's number of rows, and no second count for "(100,000 total)": a page takes a
    # tenth of a second less.
    list_per_page = 50
    show_full_result_count = False

    class Media:
        css = {"all": ["faceauth/admin.css"]}

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        locked = FailureCount.objects.filter(user=OuterRef("pk"), disabled_at__isnull=False)
        users = faces.defer_columns(ENCODINGS, super().get_queryset(request))
        return users.annotate(face_locked=Exists(locked))

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet, search_term: str
    ) -> tuple[QuerySet, bool]:
        """Run a search with few results once, not once to count them and once to list them."""
        found, duplicates = super().get_search_results(request, queryset, search_term)
        if not search_term:
            return found, duplicates
        keys = set(found.order_by().values_list("pk", flat=True)[: MAX_KEYS + 1])
        return (
            (found, duplicates) if len(keys) > MAX_KEYS else (queryset.filter(pk__in=keys), False)
        )

    def get_list_display(self, request: HttpRequest) -> Any:
        columns = super().get_list_display(request)
        return [*columns, *COLUMNS] if self.has_view_face_permission(request) else columns

    def get_list_filter(self, request: HttpRequest) -> Any:
        filters = super().get_list_filter(request)
        return [*filters, *FILTERS] if self.has_view_face_permission(request) else filters

    def lookup_allowed(self, lookup: str, value: Any, request: Any = None) -> bool:
        """Allow lookups by columns of the face with the permission, and never by encodings."""
        name = lookup.partition(LOOKUP_SEP)[0]
        if name in ENCODINGS:
            return False
        if name in faces.COLUMNS and not self.has_view_face_permission(request):
            return False
        return super().lookup_allowed(lookup, value, request)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        fields = super().get_readonly_fields(request, obj)
        return [*fields, "face_panel"] if self._has_panel(request, obj) else fields

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        fieldsets = super().get_fieldsets(request, obj)
        if not self._has_panel(request, obj) or "face_panel" in flatten_fieldsets(fieldsets):
            return fieldsets
        return [*fieldsets, (_("Face"), {"fields": ["face_panel"]})]

    def get_urls(self) -> list[Any]:
        name = f"{self.opts.app_label}_{self.opts.model_name}_face"
        view = self.admin_site.admin_view
        enrol, photos = self.enrol_view, partial(self.enrol_view, photos=True)
        photos.csrf_exempt = True  # type: ignore[attr-defined]
        return [
            path("<path:object_id>/face/enrol/", view(enrol), name=f"{name}_enrol"),
            path("<path:object_id>/face/photos/", view(photos), name=f"{name}_photos"),
            path(
                "<path:object_id>/face/do/<slug:action>/",
                view(require_POST(self.action_view)),
                name=f"{name}_do",
            ),
            path(
                "<path:object_id>/face/devices/<int:pk>/revoke/",
                view(require_POST(self.revoke_device_view)),
                name=f"{name}_revoke",
            ),
            *super().get_urls(),
        ]

    @admin.display(
        boolean=True, description=_("face"), ordering=faces.user_lookup("face_enrolled_at")
    )
    def face_enrolled(self, user: Any) -> bool:
        return faces.of(user).face_enrolled_at is not None

    @admin.display(description=_("shots"), empty_value="–")
    def face_shot_count(self, user: Any) -> int | None:
        return len(shots.current(faces.of(user).face_shot_notes)) or None

    @admin.display(
        description=_("quality"),
        empty_value="–",
        ordering=Coalesce(F(faces.user_lookup("face_quality")), Value(-1.0)),
    )
    def face_quality_bar(self, user: Any) -> SafeString | None:
        quality = faces.of(user).face_quality
        return None if quality is None else meter(quality)

    @admin.display(
        description=_("last face login"),
        empty_value="–",
        ordering=Coalesce(F(faces.user_lookup("face_last_used_at")), _NEVER),
    )
    def face_last_login(self, user: Any) -> datetime | None:
        return faces.of(user).face_last_used_at

    @admin.display(description=_("disabled"), empty_value="–")
    def face_state(self, user: Any) -> str | None:
        if faces.of(user).face_disabled_at is not None:
            return gettext("by staff")
        return gettext("after failures") if user.face_locked else None

    @admin.display(description=_("Face"))
    def face_panel(self, user: Any) -> str:
        """Return the panel about the user's face, with the actions that are allowed."""
        request = user.face_panel_request
        template = "admin/faceauth/face_panel.html"
        return render_to_string(template, self._panel(request, user), request)

    @csrf_exempt
    def enrol_view(self, request: HttpRequest, object_id: str, photos: bool = False) -> Any:
        """Show the page that enrols the user's face, with a webcam or from photos."""
        user = self._user_or_404(request, object_id)
        if not self.has_enrol_face_permission(request, user):
            raise PermissionDenied
        view = EnrolForOtherView.as_view(model_admin=self, user=user, photos=photos)
        return view(request)

    def action_view(self, request: HttpRequest, object_id: str, action: str) -> HttpResponse:
        """Run an action of the list on a single user, from the page of that user."""
        user = self._user_or_404(request, object_id)
        if action not in self.face_actions:
            raise Http404
        if not self._may_run(request, action, user):
            raise PermissionDenied
        answer = getattr(self, action)(request, self.get_queryset(request).filter(pk=user.pk))
        return answer or HttpResponseRedirect(self.face_url("change", user))

    def revoke_device_view(self, request: HttpRequest, object_id: str, pk: int) -> HttpResponse:
        """End the user's trust in one of their devices."""
        user = self._user_or_404(request, object_id)
        if not self.has_remove_face_permission(request, user):
            raise PermissionDenied
        trust = get_object_or_404(user.face_devices.select_related("device", "user"), pk=pk)
        devices.revoke(trust, request)
        self.log_change(request, user, gettext("Trusted device revoked."))
        self.message_user(request, gettext("The device is no longer trusted."), messages.SUCCESS)
        return HttpResponseRedirect(self.face_url("change", user))

    def face_url(self, page: str, user: Any, *args: Any) -> str:
        """Return the URL of a page of the user.

        Args:
            page: change, face_enrol, face_photos, face_do or face_revoke.
            user: The user.
            *args: Further parts of the URL.
        """
        name = f"admin:{self.opts.app_label}_{self.opts.model_name}_{page}"
        return reverse(name, args=[quote(user.pk), *args], current_app=self.admin_site.name)

    def _has_panel(self, request: HttpRequest, user: Any) -> bool:
        if user is None or not self.has_view_face_permission(request, user):
            return False
        # The panel depends on the staff member, but Django does not pass the request to methods of
        # read-only fields.
        user.face_panel_request = request
        return True

    def _user_or_404(self, request: HttpRequest, object_id: str) -> Any:
        user = self.get_object(request, unquote(object_id))
        if user is None:
            raise Http404
        if not self.has_view_or_change_permission(request, user):
            raise PermissionDenied
        return user

    def _look_alikes(self, face: Any, user: Any) -> list[Any]:
        """Return the users for whom the owner of a flagged face could be taken."""
        if face.face_flagged_at is None or not face.has_face:
            return []
        return lookalikes.of(user, MAX_LOOK_ALIKES)

    def _panel(self, request: HttpRequest, user: Any) -> dict[str, Any]:
        face = faces.of(user)
        buttons = {
            "remove_face": face.face_enrolled_at,
            "disable_face": not face.face_disabled_at,
            "enable_face": face.face_disabled_at or user.face_locked,
            "invite_to_enrol": not face.face_enrolled_at,
            "clear_flag": face.face_flagged_at,
            "take_back_adaptation": face.face_adapted_at,
        }
        trusts = user.face_devices.filter(device__in=devices.active()).select_related("device")
        may_enrol = self.has_enrol_face_permission(request, user)
        return {
            "owner": user,
            "face": face,
            "quality": face.face_quality is not None and meter(face.face_quality),
            "shots": [
                (shot, [meter(share) for share in shot.measures or ()])
                for shot in map(shots.read, shots.current(face.face_shot_notes))
            ],
            "readable": face.has_face,
            "look_alikes": [
                (other.get_username(), self.face_url("change", other))
                for other in self._look_alikes(face, user)
            ],
            "consent_is_outdated": enrolment.consent_is_outdated(user),
            "events": [
                (each, outcome_labels.label(each)) for each in user.face_events.all()[:MAX_EVENTS]
            ],
            "devices": [(each, self.face_url("face_revoke", user, each.pk)) for each in trusts],
            "may_revoke": self.has_remove_face_permission(request, user),
            "enrol_url": may_enrol and self.face_url("face_enrol", user),
            "photos_url": may_enrol and self.face_url("face_photos", user),
            "buttons": [
                (name, getattr(self, name).short_description, self.face_url("face_do", user, name))
                for name, useful in buttons.items()
                if useful and self._may_run(request, name, user)
            ],
        }


def meter(share: float) -> SafeString:
    """Return a share of 1 as a bar, with the percentage as text."""
    percent = f"{100 * share:.0f} %"
    return format_html(
        '<span class="faceauth-quality"><meter class="faceauth-meter" value="{}" low="{}" high="{}"'
        ' optimum="1">{}</meter> {}</span>',
        f"{share:.3f}",
        shots.GOOD,
        shots.GOOD,
        percent,
        percent,
    )
