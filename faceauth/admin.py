"""What was done with faces, for the staff to read."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.auth import get_user_model
from django.http import HttpRequest

from .models import FaceEvent


@admin.register(FaceEvent)
class FaceEventAdmin(admin.ModelAdmin):
    """To be read, and by nobody changed. Distances are to be seen here only."""

    date_hierarchy = "at"
    list_display = (
        "at",
        "kind",
        "user",
        "mode",
        "outcome",
        "distance",
        "max_distance",
        "rate",
        "address",
    )
    list_filter = ("kind", "outcome", "mode", "at")
    list_select_related = ("user",)

    def get_search_fields(self, request: HttpRequest) -> tuple[str, ...]:
        return (f"user__{get_user_model().USERNAME_FIELD}",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
