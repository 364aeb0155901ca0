"""Templates that follow their faces: logins that are sure renew the stalest shots."""

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

ONCE_IN = timedelta(days=1)

# Without a password to confirm it, only what one stranger in so many more would pass is sure.
SURER = 10


def learn(user: AbstractBaseUser, snapshot: samples.Snapshot, *, confirmed: bool = False) -> bool:
    """Adapt to the first picture of a login; whether the template changed.

    The user gave their name, and a password too where `confirmed`. Pictures that cannot be used
    change nothing.
    """
    if not conf.get().ADAPT:
        return False
    try:
        sample = samples.analyse(snapshot)[0]
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
    """Let a new shot, mirror-averaged float32 (128,), replace the user's stalest.

    The first half of the shots stays for ever, and the new one must be near that half: so a
    template may age, but is never led away to somebody else. Once a day at most, and never after
    a login by face alone.

    quality: the picture's, to be noted.

    Returns:
        Whether the template changed.
    """
    now = timezone.now()
    current = faces.rows().filter(pk=user.pk).first()
    if not conf.get().ADAPT or current is None or not current.has_face:
        return False
    if current.face_adapted_at and now - current.face_adapted_at < ONCE_IN:
        return False
    rows = current.face_encodings
    kept = (len(rows) + 1) // 2
    anchors, queue = rows[:kept], rows[kept:]
    if not len(queue) or not _is_sure(anchors, encoding, confirmed) or _is_known(rows, encoding):
        return False
    notes = shots.adapted(current.face_shot_notes, shots.note(shots.Source.LOGIN, quality))
    seal = current._meta.get_field("face_encodings").seal
    changes = {
        "face_encodings": seal(user.pk, np.vstack([anchors, queue[1:], encoding])),
        "face_adapted_at": now,
        "face_changed_at": now,
        **_noted(notes),
    }
    if current.face_adapted_at is None:
        changes["face_enrolled_encodings"] = seal(user.pk, rows)
    # Only where nobody has changed the face in the meantime, another login or its owner.
    unchanged = faces.rows().filter(pk=user.pk, face_changed_at=current.face_changed_at)
    return _write(user, unchanged, changes)


def revert(user: AbstractBaseUser) -> bool:
    """Take back all adaptation: the shots as they were enrolled. Whether there was any."""
    adapted = faces.rows().filter(pk=user.pk, face_enrolled_encodings__isnull=False)
    current = adapted.first()
    if current is None:
        return False
    changes = {
        "face_encodings": F("face_enrolled_encodings"),
        "face_enrolled_encodings": None,
        "face_adapted_at": None,
        "face_changed_at": timezone.now(),
        **_noted(shots.as_enrolled(current.face_shot_notes)),
    }
    unchanged = adapted.filter(face_changed_at=current.face_changed_at)
    return _write(user, unchanged, changes)


def _noted(notes: list[shots.Note] | None) -> dict[str, Any]:
    return {"face_shot_notes": notes, "face_quality": shots.quality(notes)}


def _is_sure(anchors: Encoding, encoding: Encoding, confirmed: bool) -> bool:
    rate = conf.get().MAX_FALSE_MATCH_RATE / (1 if confirmed else SURER)
    limit = policy.limit(shots=len(anchors), frames=1, rate=rate)
    # A distance that the owner has set by hand may stand for a higher rate.
    return limit.rate <= rate and distance(anchors, encoding[None]) <= limit.distance


def _is_known(rows: Encoding, encoding: Encoding) -> bool:
    """Whether one of these is of the same picture: it teaches nothing, and is sent again by who
    got hold of it.
    """
    return any(same_picture(shot, encoding) for shot in rows)


def _write(user: AbstractBaseUser, rows: Any, changes: dict[str, Any]) -> bool:
    """Write the changes to the one row in `rows`, if it is there, and to what the user has."""
    if not faces.write_template(user, rows, changes):
        return False
    faces.of(user).refresh_from_db(fields=list(changes))
    return True
