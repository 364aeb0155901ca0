"""Remove a face without showing it: by a link in an email, after a day to cancel it.

For owners whose face is no longer recognised, or who have no camera. The day is for those whose
mailbox or password somebody else has: they are told, and can cancel with their face or with the
link in the email.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.core import signing
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from faceauth import errors, faces
from faceauth.audit import events, notifications
from faceauth.http import rate_limit
from faceauth.models import FaceEvent
from faceauth.single_use import mark_used
from faceauth.step_up import second_step

from .lifecycle import ENROLLED, remove

# How long the link is valid, and how long its user then has to cancel the removal.
LINK_VALID_FOR = WAIT = timedelta(hours=24)

# The maximum number of links that are emailed for one account in an hour.
MAX_PER_HOUR = 3

_LINK, _CANCEL = "faceauth.removal", "faceauth.removal.cancel"


def is_available(request: HttpRequest, user: Any) -> bool:
    """Return True if the user can have their face removed by email.

    Not if the face is their second step: whoever reads the mail could reset the password as well.
    """
    enrolled = faces.of(user).face_is_enrolled
    return enrolled and notifications.reaches(user) and not second_step.required_for(user, request)


def send_link(request: HttpRequest, user: Any) -> bool:
    """Email the user a link to plan the removal. Return True if the email was sent.

    Raises:
        TooManyEmails: There were `MAX_PER_HOUR` before it.
    """
    rate_limit.enforce("removal", user.pk, MAX_PER_HOUR, rate_limit.HOUR, errors.TooManyEmails)
    # Of no use once the face is another one.
    token = signing.dumps([str(user.pk), faces.of(user).face_generation], salt=_LINK)
    link = request.build_absolute_uri(reverse("faceauth:plan_removal", args=[token]))
    return notifications.send(request, user, "removal_link", {"link": link})


def user_of_link(request: HttpRequest, token: str) -> Any:
    """Return the user whose face a link from `send_link` is for.

    Raises:
        LinkExpired: The link is too old, or the face has changed, or its removal is planned.
    """
    user, generation = _read(token, _LINK)
    face = faces.of(user)
    planned = face.face_removal_at is not None
    if planned or face.face_generation != generation or not is_available(request, user):
        raise errors.LinkExpired()
    return user


def plan(request: HttpRequest, token: str) -> Any:
    """Plan the removal of the face that a link is for, tell its owner and return them.

    Raises:
        LinkExpired: The link is too old or was used before.
    """
    user = user_of_link(request, token)
    if not mark_used("removal", [token.encode()], LINK_VALID_FOR):
        raise errors.LinkExpired()
    at = (timezone.now() + WAIT).replace(microsecond=0)  # some databases store no more
    if not faces.row(user).filter(ENROLLED, face_removal_at=None).update(face_removal_at=at):
        raise errors.LinkExpired()
    faces.of(user).face_removal_at = at
    events.record(FaceEvent.Kind.REMOVAL_PLANNED, request, user)
    cancel = signing.dumps([str(user.pk), at.isoformat()], salt=_CANCEL)
    link = request.build_absolute_uri(reverse("faceauth:cancel_by_mail", args=[cancel]))
    notifications.send(request, user, "removal_planned", {"at": at, "link": link})
    return user


def user_of_cancel_link(token: str) -> Any:
    """Return the user whose planned removal the link in the email cancels.

    Raises:
        LinkExpired: No removal is planned any more, or it is another one.
    """
    user, at = _read(token, _CANCEL)
    planned = faces.of(user).face_removal_at
    if planned is None or planned != parse_datetime(at):
        raise errors.LinkExpired()
    return user


def cancel(request: HttpRequest | None, user: Any) -> bool:
    """Cancel the planned removal of a user's face. Return True if there was one."""
    planned = faces.row(user).filter(face_removal_at__isnull=False)
    if not planned.update(face_removal_at=None):
        return False
    faces.of(user).face_removal_at = None
    events.record(FaceEvent.Kind.REMOVAL_CANCELLED, request, user)
    return True


def carry_out(user: Any, request: HttpRequest | None = None) -> bool:
    """Remove the user's face if its planned removal is due. Return True if it was removed."""
    if not faces.of(user).face_removal_is_due:
        return False
    return remove(user, _due(), request=request, reason=events.PLANNED)


def users_due() -> QuerySet:
    """Return the users whose planned removal is due, with their faces."""
    return faces.users().filter(faces.user_condition(_due()))


def _due() -> Q:
    return Q(face_removal_at__lte=timezone.now())


def _read(token: str, salt: str) -> tuple[Any, Any]:
    """Return the user that a token names, and the value beside it.

    Raises:
        LinkExpired: The token is not valid, or its user is gone.
    """
    try:
        key, value = signing.loads(token, salt=salt, max_age=LINK_VALID_FOR)
    except signing.BadSignature as error:
        raise errors.LinkExpired() from error
    user = faces.users().filter(pk=key).first()
    if user is None:
        raise errors.LinkExpired()
    return user, value
