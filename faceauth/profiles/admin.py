"""Faces in the admin of users as Django brings it. One of the project's own mixes in
`FaceAdminMixin` itself.
"""

from __future__ import annotations

from django.contrib import admin
from django.contrib.auth import admin as auth
from django.contrib.auth import get_user_model

from faceauth.admin import FaceAdminMixin


class UserAdmin(FaceAdminMixin, auth.UserAdmin):
    """Django's, with faces."""


users = get_user_model()
# Not where the project has put another one in its place already; it still may.
if admin.site.is_registered(users) and type(admin.site.get_model_admin(users)) is auth.UserAdmin:
    admin.site.unregister(users)
    admin.site.register(users, UserAdmin)
