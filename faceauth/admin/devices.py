"""The list of trusted devices in the admin. Staff can end the trust, and change nothing else."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.contrib.auth import get_user_model
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.text import capfirst
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from faceauth import devices, faces
from faceauth.models import DeviceTrust

from .actions import has_permission, may_change
from .users import ENCODINGS


@admin.register(DeviceTrust)
class TrustedDeviceAdmin(admin.ModelAdmin):
    """A read-only list with a row per device and user. Its only action ends the trust."""

    actions = ("revoke",)
    list_display = ("user", "label", "by", "created_at", "last_used_at", "network", "has_key")
    list_display_links = None
    list_filter = ("by", "last_used_at")
    list_select_related = ("user", "device")
    show_full_result_count = False

    class Media:
        css = {"all": ["faceauth/admin.css"]}

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        trusts = super().get_queryset(request).filter(device__in=devices.active())
        if faces.in_profiles():
            return trusts
        return trusts.defer(*(f"user__{name}" for name in ENCODINGS))

    def get_search_fields(self, request: HttpRequest) -> tuple[str, ...]:
        return (f"user__{get_user_model().USERNAME_FIELD}", "name", "device__label")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_remove_face_permission(self, request: HttpRequest) -> bool:
        return has_permission(request, "faceauth.remove_face")

    @admin.display(description=_("device"), empty_value="–", ordering="device__label")
    def label(self, trust: DeviceTrust) -> str | None:
        return str(trust) or None

    @admin.display(description=_("network"), empty_value="–")
    def network(self, trust: DeviceTrust) -> str | None:
        return trust.device.address or None

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        title = capfirst(self.opts.verbose_name_plural)
        return super().changelist_view(request, {"title": title, **(extra_context or {})})

    @admin.display(boolean=True, description=_("key"))
    def has_key(self, trust: DeviceTrust) -> bool:
        return trust.device.has_key

    @admin.action(description=_("Revoke"), permissions=["remove_face"])
    def revoke(self, request: HttpRequest, trusts: QuerySet) -> None:
        """End the users' trust in the devices, except that of other staff."""
        chosen = list(trusts)
        allowed = [each for each in chosen if may_change(request, each.user)]
        for each in allowed:
            devices.revoke(each, request)
        count = len(allowed)
        message = ngettext(
            "%d device is no longer trusted.", "%d devices are no longer trusted.", count
        )
        self.message_user(request, message % count, messages.SUCCESS if count else messages.WARNING)
        if len(allowed) < len(chosen):
            skipped = gettext("Devices of staff were skipped: only superusers may revoke them.")
            self.message_user(request, skipped, messages.WARNING)
