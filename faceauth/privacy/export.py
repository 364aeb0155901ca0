"""Export and erase the data that is kept about a user's face."""

from __future__ import annotations

from typing import Any

from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from faceauth import faces, users
from faceauth.audit import events
from faceauth.encryption.fields import OutdatedEncodings, UnreadableEncodings
from faceauth.liveness import replay
from faceauth.liveness.takes import Take
from faceauth.lockout import counters
from faceauth.models import DeviceTrust, FaceEvent, FaceTake, FaceTemplateMixin

# The columns that reveal how near a face was. They are computed from it, as the template is.
SCORES = ("distance", "max_distance", "rate")


def export(user: Any) -> dict[str, Any]:
    """Return all data that is kept about the user's face, to be written as JSON.

    The encodings are included as they are compared, as rows of numbers: they are the person's own,
    and can be used elsewhere. Two things are left out: how near the faces in attempts were, because
    an attacker could learn from it how near they are; and whether a look-alike was found, because
    that is about another person.
    """
    face = faces.of(user)
    return {
        "username": users.username(user),
        "exported_at": timezone.now(),
        "consent": _consent(face),
        "face": _face(face),
        "disabled_by_staff_at": face.face_disabled_at,
        "address_confirmed_at": face.face_address_confirmed_at,
        "failures": list(
            (counters.account_failures(user) | counters.device_failures(user)).values(
                "failures", "wait_until", "disabled_at", "forget_at"
            )
        ),
        "devices": [_device(each) for each in user.face_devices.select_related("device")],
        "movements": [_movement(row, take) for row, take in replay.read_all(user)],
        "events": [_event(each) for each in user.face_events.all()],
    }


def erase(user: Any) -> None:
    """Erase the data about the user's face that is stored outside their own row.

    This is the counted failures, how the head moved at logins, and how near the faces in attempts
    were. The events stay: that there was an attempt, and when.
    """
    counters.clear_failures(user)
    FaceTake.objects.filter(user=user).delete()
    # Attempts without a username as well, if this user was the nearest.
    erase_scores(Q(user=user) | Q(user=None, nearest=events.hash_of_nearest(user.pk)))


def erase_scores(*conditions: Q, dry_run: bool = False, **more: Any) -> int:
    """Erase from these events how near the faces were, and to whom.

    Args:
        *conditions: Conditions on `FaceEvent`.
        dry_run: Erase nothing.
        **more: Further conditions.

    Returns:
        The number of events that had something to erase.
    """
    scored = Q(*[(f"{name}__isnull", False) for name in SCORES], _connector=Q.OR)
    found = FaceEvent.objects.filter(scored, *conditions, **more)
    return found.count() if dry_run else found.update(**dict.fromkeys(SCORES), nearest="")


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
        "removal_planned_for": face.face_removal_at,
        "quality": face.face_quality,
        "pictures": face.face_shot_notes,
        "encodings": _numbers(face.face_encodings),
        "encodings_as_enrolled": _numbers(face.face_enrolled_encodings),
    }


def _numbers(encodings: Any) -> list[list[float]] | str | None:
    """Return encodings (n, d) as lists, or a sentence if the site itself can't read them."""
    if isinstance(encodings, UnreadableEncodings):
        return _("There are encodings that this site can no longer decrypt. It does not use them.")
    if isinstance(encodings, OutdatedEncodings):
        encodings = encodings.values
    return None if encodings is None else encodings.tolist()


def _device(trust: DeviceTrust) -> dict[str, Any]:
    device = trust.device
    return {
        "name": trust.name,
        "device": device.label,
        "trusted_since": trust.created_at,
        "trusted_after": trust.by,
        "last_used_at": trust.last_used_at,
        "network": device.address,
        "has_key": device.has_key,
    }


def _movement(row: FaceTake, take: Take) -> dict[str, Any]:
    return {
        "at": row.at,
        "seconds": take.times.tolist(),
        "yaw_pitch_roll_and_log_of_size": take.path.tolist(),
        "encodings": take.encodings.tolist(),
    }


def _event(event: FaceEvent) -> dict[str, Any]:
    return {
        "at": event.at,
        "kind": event.kind,
        "mode": event.mode,
        "outcome": event.outcome,
        "network": event.address,
        "device": event.device,
    }
