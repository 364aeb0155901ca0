"""Faces into accounts and out again: who writes the columns of `faces`."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import Any

import numpy as np
from django.contrib.auth import get_user_model
from django.contrib.auth.base_user import AbstractBaseUser
from django.db.models import Q
from django.http import HttpRequest
from django.utils import timezone
from numpy.typing import ArrayLike

from faceauth import conf, errors, faces
from faceauth.audit import events
from faceauth.db import atomic
from faceauth.encryption.fields import validate
from faceauth.gallery import gallery
from faceauth.lockout import counters
from faceauth.models import FaceEvent
from faceauth.privacy import export
from faceauth.recognition import policy
from faceauth.recognition.calibration import calibration
from faceauth.vision.encoding import Encoding, template

from . import shots
from .consent import Consent

# Two photos of one person taken at different times lie within this 97 times in 100, of two
# people 1 time in 100 (the 1,000 pairs of LFW's development set). This and the next are of dlib's
# encodings, see `Calibration.scale`.
SAME_PERSON_WITHIN = 0.42

# A picture and its copy, compressed again, scaled or cropped, lie 0.01 to 0.04 apart; two frames
# of a head that moves, a tenth of a second after each other, 0.065 and more.
SAME_PICTURE_WITHIN = 0.04

# There is a face, be it one that cannot be read.
ENROLLED = Q(face_encodings__isnull=False) | Q(face_enrolled_at__isnull=False)

# What the columns hold where there is no face.
NOTHING: dict[str, Any] = {
    "face_encodings": None,
    "face_enrolled_at": None,
    "face_consented_at": None,
    "face_consent_version": "",
    "face_consent_from": "",
    "face_last_used_at": None,
    "face_flagged_at": None,
    "face_enrolled_encodings": None,
    "face_adapted_at": None,
    "face_shot_notes": None,
    "face_quality": None,
}


def check_same_person(encodings: Encoding) -> None:
    """Let pass encodings, float32 (n, d), that are all near each other.

    Raises:
        NotSamePerson: two of them are not.
    """
    within = SAME_PERSON_WITHIN * calibration().scale
    if any(_apart(one, other) > within for one, other in combinations(encodings, 2)):
        raise errors.NotSamePerson()


def check_no_copies(encodings: Encoding) -> None:
    """Let pass encodings, float32 (n, d), of n pictures: a copy tells nothing more of a face.

    Raises:
        SamePicture: two of them are of the same.
    """
    if any(same_picture(one, other) for one, other in combinations(encodings, 2)):
        raise errors.SamePicture()


def same_picture(one: Encoding, other: Encoding) -> bool:
    """Whether two encodings, float32 (d,), are so near that they are of one picture."""
    return _apart(one, other) < SAME_PICTURE_WITHIN * calibration().scale


def enrol(
    user: AbstractBaseUser,
    encodings: ArrayLike,
    consent: Consent | None = None,
    notes: Sequence[shots.Note] | None = None,
) -> None:
    """Make `encodings`, one (d,) or several (n, d), the user's template.

    They are `capture.encodings`, or what face_recognition gives for the same pictures: float64,
    lists and encodings that were not averaged with their mirror image's are taken as well.

    The user has agreed to it: that is noted with the time, in the same write as the template.
    Without a `consent`, to the notice as it is now, in a place that is not known. Replaces what
    was enrolled before. A user who is not saved yet is saved first.

    notes: `shots.notes` on the pictures; by default that their encodings were computed elsewhere.

    Raises:
        AccountGone: the user was deleted in the meantime.
        NotSamePerson: the encodings are of more than one person.
        SamePicture: two of them are of the same picture.
        LookAlike: somebody else has nearly the same face, and ``LOOK_ALIKES`` is "refuse".
        ValidationError: they are no encodings.
    """
    rows = _rows(encodings)
    check_same_person(rows)
    check_no_copies(rows)
    flagged = _looks_like_another(user, rows)
    kept = list(notes or shots.notes(shots.Source.ELSEWHERE, [None] * len(rows)))
    agreed = (consent or Consent.from_request(None)).columns()
    now = timezone.now()
    columns = {
        **agreed,
        "face_encodings": rows,
        "face_enrolled_at": now,
        "face_flagged_at": now if flagged else None,
        "face_enrolled_encodings": None,
        "face_adapted_at": None,
        "face_shot_notes": kept,
        "face_quality": shots.quality(kept),
    }
    with atomic(get_user_model()):
        if user._state.adding:
            user.save()
        faces.ensure_row(user)
        if not _write(user, columns):
            raise errors.AccountGone()
        # They were no failures of this face.
        counters.clear_failures(user)


def revoke(user: AbstractBaseUser, *still: Q) -> bool:
    """Remove the user's face and all that was kept with it, see `rights.erase`.

    still: what has to be true of the face's row in that moment.

    Returns:
        Whether it was, and the user there. Else nothing is removed.
    """
    with atomic(get_user_model()):
        if not _write(user, NOTHING, *still):
            return False
        export.erase(user)
    return True


def remove(
    user: AbstractBaseUser, *still: Q, request: HttpRequest | None = None, reason: str = ""
) -> bool:
    """`revoke`, with an event of it kept, and the user told.

    reason: `events.UNUSED` or `events.BY_STAFF`; "" where the user did it.

    Returns:
        Whether there was a face, and the row like that.
    """
    details = events.EventDetails(outcome=reason)
    with atomic(get_user_model()):
        if not revoke(user, ENROLLED, *still):
            return False
        event = events.save(FaceEvent.Kind.REMOVED, request, user, details)
    events.announce(event, request)
    return True


def _write(user: AbstractBaseUser, columns: dict[str, Any], *still: Q) -> bool:
    """Write the template and what goes with it to the row, if it is there and `still` like that,
    then to what the user has. Whether it is written.
    """
    row = faces.row(user).filter(*still)
    columns = {**columns, "face_changed_at": timezone.now()}
    sealed = row.model._meta.get_field("face_encodings").seal(user.pk, columns["face_encodings"])
    if not faces.write_template(user, row, {**columns, "face_encodings": sealed}):
        return False
    faces.set_columns(user, columns)
    return True


def _apart(one: Encoding, other: Encoding) -> float:
    return float(np.linalg.norm(template(one[None]) - template(other[None])))


def _rows(encodings: Any) -> Encoding:
    alone = len(encodings) > 0 and np.ndim(encodings[0]) == 0
    return validate([encodings] if alone else encodings)


def _looks_like_another(user: AbstractBaseUser, rows: Encoding) -> bool:
    """Whether the face is to be flagged.

    Raises:
        LookAlike: it is not to be enrolled.
    """
    wish = conf.get().LOOK_ALIKES
    if wish == "allow" or not _another_is_near(user, rows):
        return False
    if wish == "refuse":
        raise errors.LookAlike()
    return True


def _another_is_near(user: AbstractBaseUser, rows: Encoding) -> bool:
    """Whether a login with these, face alone, could be taken for somebody else's. Those who may not
    log in count as well: they may again tomorrow.
    """
    enrolled = faces.users().filter(faces.user_condition(Q(face_encodings__isnull=False)))
    while True:
        others = [match for match in gallery().nearest(rows) if match.key != user.pk]
        nearest = policy.identify(others[:1], len(rows), len(gallery())).accepted
        if nearest is None:
            return False
        if enrolled.filter(pk=nearest.key).exists():
            return True
        gallery().forget([nearest.key])
