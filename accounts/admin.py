from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from faceauth import adaptation, enrolment, events

from .models import User

FACE = (
    "face_shots",
    "face_enrolled_at",
    "face_consented_at",
    "face_consent_version",
    "face_consent_from",
    "face_last_used_at",
    "face_adapted_at",
    "face_flagged_at",
)


class FlaggedFilter(admin.SimpleListFilter):
    """Faces that could be taken for somebody else's."""

    title = _("look-alike found")
    parameter_name = "flagged"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("yes", _("Yes")), ("no", _("No"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[User]) -> QuerySet[User]:
        if self.value() is None:
            return queryset
        return queryset.filter(face_flagged_at__isnull=self.value() == "no")


@admin.register(User)
class UserAdmin(DjangoUserAdmin):
    list_display = (
        "username",
        "email",
        "has_face",
        "face_last_used_at",
        "face_flagged_at",
        "is_staff",
    )
    list_filter = (*DjangoUserAdmin.list_filter, FlaggedFilter)
    actions = ("clear_flag", "take_back_adaptation", "remove_face")
    readonly_fields = FACE
    fieldsets = (*(DjangoUserAdmin.fieldsets or ()), (_("Face"), {"fields": FACE}))
    add_fieldsets = (
        (None, {"classes": ("wide",), "fields": ("username", "email")}),
        (None, {"classes": ("wide",), "fields": ("usable_password", "password1", "password2")}),
    )

    @admin.display(boolean=True, description=_("face enrolled"))
    def has_face(self, user: User) -> bool:
        return user.has_face

    @admin.action(description=_("Clear flag"), permissions=["change"])
    def clear_flag(self, request: HttpRequest, users: QuerySet[User]) -> None:
        cleared = users.filter(face_flagged_at__isnull=False).update(face_flagged_at=None)
        message = ngettext("%d flag was cleared.", "%d flags were cleared.", cleared) % cleared
        self.message_user(request, message)

    @admin.action(description=_("Take back adaptation"), permissions=["change"])
    def take_back_adaptation(self, request: HttpRequest, users: QuerySet[User]) -> None:
        count = sum(map(adaptation.revert, users))
        message = ngettext("%d face was taken back.", "%d faces were taken back.", count) % count
        self.message_user(request, message)

    @admin.action(description=_("Remove face"), permissions=["change"])
    def remove_face(self, request: HttpRequest, users: QuerySet[User]) -> None:
        """Who has no password is not left without a way in: a new one comes by e-mail."""
        count = sum(
            enrolment.remove(user, request=request, reason=events.BY_STAFF) for user in users
        )
        message = ngettext("%d face was removed.", "%d faces were removed.", count) % count
        self.message_user(request, message)
