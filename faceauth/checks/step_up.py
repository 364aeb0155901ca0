"""Check the second step of the admin: no admin site bypasses it, and staff are able to pass it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.apps import apps
from django.contrib.auth import get_user_model
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.db.models import Q

from faceauth import conf, faces

from .database import count_users
from .settings import Configs, setting_errors


@register(Tags.security)
def check_admin_sites(app_configs: Configs, **kwargs: Any) -> list[CheckMessage]:
    """Check that all admin sites ask for password and face if ``ADMIN_SECOND_STEP`` is on."""
    if setting_errors() or not conf.get().ADMIN_SECOND_STEP:
        return []
    if not apps.is_installed("django.contrib.admin"):
        return []
    # A project without the admin must not import it: its models would not be installed.
    from django.contrib.admin.sites import all_sites

    from faceauth.admin_site import FaceAdminSite

    if all(isinstance(site, FaceAdminSite) for site in all_sites):
        return []
    message = (
        "FACEAUTH['ADMIN_SECOND_STEP'] is True, but there is an admin site that lets staff in with "
        "their password alone."
    )
    hint = (
        "Put 'faceauth.apps.FaceAdminConfig' into INSTALLED_APPS instead of "
        "'django.contrib.admin', or make your AdminSite a subclass of "
        "faceauth.admin_site.FaceAdminSite."
    )
    return [Error(message, hint=hint, id="faceauth.E015")]


@register(Tags.database)
def check_staff(
    app_configs: Configs, databases: Sequence[str] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """Check that all staff have a face enrolled if ``ADMIN_SECOND_STEP`` is on."""
    if setting_errors() or not conf.get().ADMIN_SECOND_STEP or not count_users(databases or ()):
        return []
    conditions = faces.known_conditions(is_staff=True, is_active=True)
    if "is_staff" not in conditions:
        return []
    staff = get_user_model()._default_manager.filter(**conditions)
    faceless = staff.filter(faces.user_condition(Q(face_enrolled_at=None))).count()
    if not faceless:
        return []
    message = f"Staff without an enrolled face, who therefore cannot enter the admin: {faceless}."
    hint = "They can enrol on the site after logging in there with their password."
    return [Warning(message, hint=hint, id="faceauth.W018")]
