from __future__ import annotations

from django.contrib import admin

from faceauth.admin import FaceAdminMixin

from .models import Person


@admin.register(Person)
class PersonAdmin(FaceAdminMixin, admin.ModelAdmin):
    list_display = ("email",)
    fields = ("email", "is_admin")
