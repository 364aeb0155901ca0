"""What the staff does with the faces of others. Enrolling and removing is `enrolment`'s."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.tokens import default_token_generator
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
    """Let no face log in to the account from now on, whoever's it is and whatever is enrolled;
    whether one could before.
    """
    now = timezone.now()
    faces.ensure_row(user)
    if not faces.row(user).filter(face_disabled_at=None).update(face_disabled_at=now):
        return False
    faces.of(user).face_disabled_at = now
    events.record(FaceEvent.Kind.DISABLED, request, user, BY_STAFF)
    return True


def enable(request: HttpRequest | None, user: Any) -> bool:
    """Take that back, and forget the failures that may have disabled the face by themselves;
    whether it was disabled.
    """
    by_staff = faces.row(user).filter(face_disabled_at__isnull=False).update(face_disabled_at=None)
    by_failures = counters.clear_failures(user)
    faces.of(user).face_disabled_at = None
    if not by_staff and not by_failures:
        return False
    events.record(FaceEvent.Kind.ENABLED, request, user, BY_STAFF)
    return True


def clear_flag(user: Any) -> bool:
    """Note that the face, which could be taken for somebody else's, has been seen to."""
    return bool(faces.row(user).filter(face_flagged_at__isnull=False).update(face_flagged_at=None))


def invite(request: HttpRequest, user: Any, password_reset: str) -> bool:
    """Ask the user by mail to enrol their face; whether a mail left.

    password_reset: the name of the view that a link for a new password leads to: who has none
        needs one first.

    Raises:
        NoReverseMatch: there is no such view, and the user has no password.
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
    """Whether there is somebody who can get the mail, and no face yet."""
    enrolled = faces.of(user).face_is_enrolled
    return user.is_active and not enrolled and bool(notifications.address_of(user))
