"""Add faces to Django's own user admin.

If the project has its own user admin, it adds `FaceAdminMixin` itself.
"""

from __future__ import annotations

from django.contrib import admin
from django.contrib.auth import admin as auth
from django.contrib.auth import get_user_model

from faceauth.admin import FaceAdminMixin


class UserAdmin(FaceAdminMixin, auth.UserAdmin):
    """Django's user admin, with faces."""


users = get_user_model()
# Only if the project has not registered its own user admin; it can still do so later.
if admin.site.is_registered(users) and type(admin.site.get_model_admin(users)) is auth.UserAdmin:
    admin.site.unregister(users)
    admin.site.register(users, UserAdmin)
