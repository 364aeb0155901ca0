from __future__ import annotations

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.utils.translation import gettext_lazy as _

from .models import User

FACE = ("face_shots", "face_enrolled_at", "face_consented_at", "face_last_used_at")


@admin.register(User)
class UserAdmin(DjangoUserAdmin):
    list_display = ("username", "email", "has_face", "face_last_used_at", "is_staff")
    readonly_fields = FACE
    fieldsets = (*(DjangoUserAdmin.fieldsets or ()), (_("Face"), {"fields": FACE}))
    add_fieldsets = (
        (None, {"classes": ("wide",), "fields": ("username", "email")}),
        (None, {"classes": ("wide",), "fields": ("usable_password", "password1", "password2")}),
    )

    @admin.display(boolean=True, description=_("face enrolled"))
    def has_face(self, user: User) -> bool:
        return user.has_face
