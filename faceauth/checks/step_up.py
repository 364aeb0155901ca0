"""Checks of the second step: nobody gets around it, and staff can do it."""

from __future__ import annotations

from collections.abc import Iterator

from django.apps import apps
from django.contrib.auth import get_user_model
from django.core.checks import CheckMessage, Error, Warning
from django.db.models import Q

from faceauth import conf, faces


def of_sites() -> Iterator[CheckMessage]:
    """Errors of `checks`: nobody is asked for the second step."""
    from django.contrib.admin.sites import all_sites

    from faceauth.admin_site import FaceAdminSite

    if not conf.get().ADMIN_SECOND_STEP or not apps.is_installed("django.contrib.admin"):
        return
    if any(not isinstance(site, FaceAdminSite) for site in all_sites):
        message = (
            "FACEAUTH['ADMIN_SECOND_STEP'] is True, and there is an admin site that lets staff in "
            "by their password."
        )
        hint = (
            "Put 'faceauth.apps.FaceAdminConfig' into INSTALLED_APPS in place of "
            "'django.contrib.admin', or make your AdminSite a subclass of "
            "faceauth.admin_site.FaceAdminSite."
        )
        yield Error(message, hint=hint, id="faceauth.E015")


def of_staff() -> Iterator[CheckMessage]:
    """Warnings of `checks`: some cannot do the second step."""
    if not conf.get().ADMIN_SECOND_STEP:
        return
    known = faces.known_conditions(is_staff=True, is_active=True)
    if "is_staff" not in known:
        return
    staff = get_user_model()._default_manager.filter(**known)
    faceless = staff.filter(faces.user_condition(Q(face_enrolled_at=None))).count()
    if faceless:
        message = f"Staff who have no face enrolled, and so cannot get into the admin: {faceless}."
        hint = "They can enrol on the site, once they have logged in there by password."
        yield Warning(message, hint=hint, id="faceauth.W018")
