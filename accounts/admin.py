"""The admin of users, with their faces."""

from __future__ import annotations

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin

from faceauth.admin import FaceAdminMixin

from .models import User


@admin.register(User)
class UserAdmin(FaceAdminMixin, DjangoUserAdmin):
    """The admin of users, with their faces."""

    password_reset_url = "accounts:password_reset_confirm"
    list_display = ("username", "email", "is_staff")
    # Users of this site have no first and last names.
    search_fields = ("username", "email")
    add_fieldsets = (
        (None, {"classes": ("wide",), "fields": ("username", "email")}),
        (None, {"classes": ("wide",), "fields": ("usable_password", "password1", "password2")}),
    )
