"""Disable and enable face login, clear look-alike flags and invite users, for staff."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.tokens import default_token_generator
from django.db.models import F
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode

from faceauth import faces
from faceauth.audit import events, notifications
from faceauth.lockout import counters
from faceauth.models import FaceEvent

BY_STAFF = events.EventDetails(outcome=events.BY_STAFF)


def disable(request: HttpRequest | None, user: Any) -> bool:
    """Disable face login for an account, for any face that is or will be enrolled.

    Sessions that the face began end at their next request. Not if failures disable it: strangers
    could otherwise end an owner's sessions.

    Returns:
        True if it was enabled before.
    """
    now = timezone.now()
    faces.ensure_row(user)
    enabled, generation = faces.row(user).filter(face_disabled_at=None), F("face_generation") + 1
    if not enabled.update(face_disabled_at=now, face_generation=generation):
        return False
    generation = faces.row(user).values_list("face_generation", flat=True).get()
    faces.set_columns(user, {"face_disabled_at": now, "face_generation": generation})
    events.record(FaceEvent.Kind.DISABLED, request, user, BY_STAFF)
    return True


def enable(request: HttpRequest | None, user: Any) -> bool:
    """Enable face login again, and clear the failures that may have disabled it.

    Returns:
        True if it was disabled, by staff or after failures.
    """
    by_staff = faces.row(user).filter(face_disabled_at__isnull=False).update(face_disabled_at=None)
    by_failures = counters.clear_failures(user)
    faces.of(user).face_disabled_at = None
    if not by_staff and not by_failures:
        return False
    events.record(FaceEvent.Kind.ENABLED, request, user, BY_STAFF)
    return True


def clear_flag(user: Any) -> bool:
    """Clear the look-alike flag of a user's face. Return True if it was set.

    From then on, a face without a username is compared with this one as well.
    """
    flagged = faces.row(user).filter(face_flagged_at__isnull=False)
    # Galleries read the faces that changed.
    columns = {"face_flagged_at": None, "face_changed_at": timezone.now()}
    if not faces.write_template(user, flagged, columns):
        return False
    faces.set_columns(user, columns)
    return True


def invite(request: HttpRequest, user: Any, password_reset: str) -> bool:
    """Invite a user by mail to enrol their face. Return True if the mail was sent.

    Args:
        request: The staff member's request.
        user: The user to invite.
        password_reset: The name of the view that sets a new password. Users without a password
            get a link to it, because they need one first.

    Raises:
        NoReverseMatch: The view does not exist, and the user has no password.
    """
    context = {"enrol": request.build_absolute_uri(reverse("faceauth:enrol"))}
    if not user.has_usable_password():
        link = {
            "uidb64": urlsafe_base64_encode(force_bytes(user.pk)),
            "token": default_token_generator.make_token(user),
        }
        context["password"] = request.build_absolute_uri(reverse(password_reset, kwargs=link))
    return notifications.send(request, user, "invited", context)


def may_be_invited(user: Any) -> bool:
    """Return True if the user is active, has an email address and has no face yet."""
    enrolled = faces.of(user).face_is_enrolled
    return user.is_active and not enrolled and bool(notifications.address_of(user))
