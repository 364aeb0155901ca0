"""Adaptation: logins with a very certain match replace the oldest shots of a template."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import numpy as np
from django.contrib.auth.base_user import AbstractBaseUser
from django.db.models import F
from django.utils import timezone

from faceauth import conf, faces
from faceauth.capture import samples
from faceauth.errors import FaceError
from faceauth.recognition import policy
from faceauth.recognition.matching import distance
from faceauth.vision.encoding import Encoding
from faceauth.vision.quality import Quality

from . import same_picture, shots

MIN_INTERVAL = timedelta(days=1)

# Without a password, the false-match rate must be lower by this factor.
UNCONFIRMED_FACTOR = 10


def adapt_to_login(
    user: AbstractBaseUser, snapshot: samples.Snapshot, *, confirmed: bool = False
) -> bool:
    """Adapt the template to the first picture of a login.

    Pictures that cannot be used change nothing.

    Args:
        user: The user, who gave a username.
        snapshot: The pictures of the login, as files or samples.
        confirmed: Whether the user gave the password as well.

    Returns:
        True if the template changed.
    """
    if not conf.get().ADAPT:
        return False
    try:
        sample = samples.analyse(snapshot, small=True)[0]
        encoding = sample.encoding()
    except FaceError:
        return False
    return adapt(user, encoding, confirmed=confirmed, quality=sample.quality)


def adapt(
    user: AbstractBaseUser,
    encoding: Encoding,
    *,
    confirmed: bool = False,
    quality: Quality | None = None,
) -> bool:
    """Replace the oldest replaceable shot of a template with a new one.

    The first half of the shots is never replaced, and the new shot must be close to that half. So
    a template can age, but cannot drift towards another person. A template changes at most once a
    day, and never after a login by face alone.

    Args:
        user: The owner of the template.
        encoding: The new shot, mirror-averaged, float32 (d,).
        confirmed: Whether the user gave the password as well.
        quality: The quality of the picture, for its note.

    Returns:
        True if the template changed.
    """
    now = timezone.now()
    current = faces.rows().filter(pk=user.pk).first()
    if not conf.get().ADAPT or current is None or not current.has_face:
        return False
    if current.face_adapted_at and now - current.face_adapted_at < MIN_INTERVAL:
        return False
    rows = current.face_encodings
    kept = (len(rows) + 1) // 2
    anchors, queue = rows[:kept], rows[kept:]
    if not len(queue) or not _is_certain(anchors, encoding, confirmed):
        return False
    if _is_known(rows, encoding):
        return False
    notes = shots.adapted(current.face_shot_notes, shots.note(shots.Source.LOGIN, quality))
    seal = current._meta.get_field("face_encodings").seal
    changes = {
        "face_encodings": seal(user.pk, np.vstack([anchors, queue[1:], encoding])),
        "face_adapted_at": now,
        "face_changed_at": now,
        **_note_columns(notes),
    }
    if current.face_adapted_at is None:
        changes["face_enrolled_encodings"] = seal(user.pk, rows)
    # Only if neither another login nor the owner has changed the face in the meantime.
    unchanged = faces.rows().filter(pk=user.pk, face_changed_at=current.face_changed_at)
    return _write(user, unchanged, changes)


def revert(user: AbstractBaseUser) -> bool:
    """Restore the shots as they were enrolled. Return False if there was no adaptation."""
    adapted = faces.rows().filter(pk=user.pk, face_enrolled_encodings__isnull=False)
    current = adapted.first()
    if current is None:
        return False
    changes = {
        "face_encodings": F("face_enrolled_encodings"),
        "face_enrolled_encodings": None,
        "face_adapted_at": None,
        "face_changed_at": timezone.now(),
        **_note_columns(shots.as_enrolled(current.face_shot_notes)),
    }
    unchanged = adapted.filter(face_changed_at=current.face_changed_at)
    return _write(user, unchanged, changes)


def _note_columns(notes: list[shots.Note] | None) -> dict[str, Any]:
    return {"face_shot_notes": notes, "face_quality": shots.quality(notes)}


def _is_certain(anchors: Encoding, encoding: Encoding, confirmed: bool) -> bool:
    rate = conf.get().MAX_FALSE_MATCH_RATE / (1 if confirmed else UNCONFIRMED_FACTOR)
    limit = policy.limit(shots=len(anchors), frames=1, rate=rate)
    # If MAX_DISTANCE is set, the rate of the limit can be higher.
    return limit.rate <= rate and distance(anchors, encoding[None]) <= limit.distance


def _is_known(rows: Encoding, encoding: Encoding) -> bool:
    """Return True if a shot is of the same picture.

    Such a picture adds nothing, and may be a copy that an attacker sends.
    """
    return any(same_picture(shot, encoding) for shot in rows)


def _write(user: AbstractBaseUser, rows: Any, changes: dict[str, Any]) -> bool:
    """Write the changes to the one row in `rows`, if there is one, and to the user in memory."""
    if not faces.write_template(user, rows, changes):
        return False
    faces.of(user).refresh_from_db(fields=list(changes))
    return True
