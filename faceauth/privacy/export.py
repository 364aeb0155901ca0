"""What people may ask for: all that is kept of their face, and that nothing is any more."""

from __future__ import annotations

from typing import Any

from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from faceauth import faces, users
from faceauth.encryption.fields import OutdatedEncodings, UnreadableEncodings
from faceauth.lockout import counters
from faceauth.models import FaceEvent, FaceTemplateMixin

# What tells how near a face was: computed from it, as the template is.
SCORES = ("distance", "max_distance", "rate")


def export(user: Any) -> dict[str, Any]:
    """All that is kept of the user's face, to be written as JSON.

    The encodings are in it as they are compared, rows of numbers: they are the person's own,
    and with them what they got can be used elsewhere. What is not: how near faces were in an
    attempt, because whoever looks for a way in would learn from it how near they are, and whether
    a look-alike was found, because that is about somebody else.
    """
    face = faces.of(user)
    return {
        "username": users.username(user),
        "exported_at": timezone.now(),
        "consent": _consent(face),
        "face": _face(face),
        "disabled_by_staff_at": face.face_disabled_at,
        "failures": list(
            counters.account_failures(user).values(
                "failures", "wait_until", "disabled_at", "forget_at"
            )
        ),
        "events": [_event(each) for each in user.face_events.all()],
    }


def erase(user: Any) -> None:
    """Erase what the use of the user's face has left outside their own row: the failures that are
    counted, and how near faces were. That there was an attempt, and when, stays.
    """
    counters.clear_failures(user)
    # And of whoever said not who they were: that may have been how near they were to this user.
    erase_scores(Q(user=user) | Q(user=None))


def erase_scores(*which: Q, dry_run: bool = False, **more: Any) -> int:
    """Erase how near faces were from these events; from how many there was something to erase."""
    scored = Q(*[(f"{name}__isnull", False) for name in SCORES], _connector=Q.OR)
    events = FaceEvent.objects.filter(scored, *which, **more)
    return events.count() if dry_run else events.update(**dict.fromkeys(SCORES))


def _consent(face: FaceTemplateMixin) -> dict[str, Any] | None:
    if face.face_consented_at is None:
        return None
    return {
        "given_at": face.face_consented_at,
        "notice_version": face.face_consent_version,
        "network": face.face_consent_from,
    }


def _face(face: FaceTemplateMixin) -> dict[str, Any] | None:
    if face.face_encodings is None:
        return None
    return {
        "enrolled_at": face.face_enrolled_at,
        "last_used_at": face.face_last_used_at,
        "adapted_at": face.face_adapted_at,
        "quality": face.face_quality,
        "pictures": face.face_shot_notes,
        "encodings": _numbers(face.face_encodings),
        "encodings_as_enrolled": _numbers(face.face_enrolled_encodings),
    }


def _numbers(encodings: Any) -> list[list[float]] | str | None:
    """Encodings (n, d) as JSON has them; in words where the site itself cannot read them."""
    if isinstance(encodings, UnreadableEncodings):
        return _(
            "There are encodings that this site cannot decrypt any more. It uses them no longer."
        )
    if isinstance(encodings, OutdatedEncodings):
        encodings = encodings.values
    return None if encodings is None else encodings.tolist()


def _event(event: FaceEvent) -> dict[str, Any]:
    return {
        "at": event.at,
        "kind": event.kind,
        "mode": event.mode,
        "outcome": event.outcome,
        "network": event.address,
    }
