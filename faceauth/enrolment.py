"""Faces into accounts and out again: who writes the mixin's columns."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
from django.contrib.auth import get_user_model
from django.utils import timezone
from numpy.typing import ArrayLike

from . import conf, errors, policy
from .fields import SIZE, checked
from .gallery import gallery
from .models import FaceTemplateMixin
from .vision.encoding import Encoding, template

# Two photos of one person taken at different times lie within this 97 times in 100, of two
# people 1 time in 100 (the 1,000 pairs of LFW's development set).
SAME_PERSON_WITHIN = 0.42

# A picture and its copy, compressed again, scaled or cropped, lie 0.01 to 0.04 apart; two frames
# of a head that moves, a tenth of a second after each other, 0.065 and more.
SAME_PICTURE_WITHIN = 0.04

FIELDS = (
    "face_encodings",
    "face_enrolled_at",
    "face_consented_at",
    "face_flagged_at",
    "face_enrolled_encodings",
    "face_adapted_at",
    "face_changed_at",
)


def check_same_person(encodings: Encoding) -> None:
    """Let pass encodings, float32 (n, 128), that are all near each other.

    Raises:
        NotSamePerson: two of them are not.
    """
    if any(_apart(one, other) > SAME_PERSON_WITHIN for one, other in combinations(encodings, 2)):
        raise errors.NotSamePerson()


def check_no_copies(encodings: Encoding) -> None:
    """Let pass encodings, float32 (n, 128), of n pictures: a copy tells nothing more of a face.

    Raises:
        SamePicture: two of them are of the same.
    """
    if any(same_picture(one, other) for one, other in combinations(encodings, 2)):
        raise errors.SamePicture()


def same_picture(one: Encoding, other: Encoding) -> bool:
    """Whether two encodings, float32 (128,), are so near that they are of one picture."""
    return _apart(one, other) < SAME_PICTURE_WITHIN


def enrol(user: FaceTemplateMixin, encodings: ArrayLike) -> None:
    """Make `encodings`, one (128,) or several (n, 128), the user's template.

    They are `capture.encodings`, or what face_recognition gives for the same pictures: float64,
    lists and encodings that were not averaged with their mirror image's are taken as well.

    The user has agreed to it: that is noted with the time. Replaces what was enrolled before. A
    user who is not saved yet is saved first.

    Raises:
        NotSamePerson: the encodings are of more than one person.
        SamePicture: two of them are of the same picture.
        LookAlike: somebody else has nearly the same face, and ``LOOK_ALIKES`` is "refuse".
        ValidationError: they are no encodings.
    """
    shots = _rows(encodings)
    check_same_person(shots)
    check_no_copies(shots)
    now = timezone.now()
    flagged = _looks_like_another(user, shots)
    if user._state.adding:
        user.save()
    user.face_flagged_at = now if flagged else None
    user.face_encodings = shots
    user.face_enrolled_encodings = user.face_adapted_at = None
    user.face_enrolled_at = user.face_consented_at = user.face_changed_at = now
    user.save(update_fields=FIELDS)


def revoke(user: FaceTemplateMixin) -> None:
    """Remove the user's face and all that was kept with it."""
    for name in (*FIELDS, "face_last_used_at"):
        setattr(user, name, None)
    user.face_changed_at = timezone.now()
    user.save(update_fields=[*FIELDS, "face_last_used_at"])


def _apart(one: Encoding, other: Encoding) -> float:
    return float(np.linalg.norm(template(one[None]) - template(other[None])))


def _rows(encodings: Any) -> Encoding:
    alone = len(encodings) == SIZE and np.ndim(encodings[0]) == 0
    return checked([encodings] if alone else encodings)


def _looks_like_another(user: FaceTemplateMixin, shots: Encoding) -> bool:
    """Whether the face is to be flagged.

    Raises:
        LookAlike: it is not to be enrolled.
    """
    wish = conf.get().LOOK_ALIKES
    if wish == "allow" or not _another_is_near(user, shots):
        return False
    if wish == "refuse":
        raise errors.LookAlike()
    return True


def _another_is_near(user: FaceTemplateMixin, shots: Encoding) -> bool:
    """Whether a login with these shots, face alone, could be taken for somebody else's. Those who
    may not log in count as well: they may again tomorrow.
    """
    users: Any = get_user_model()._default_manager
    while True:
        others = [match for match in gallery().nearest(shots) if match.key != user.pk]
        nearest = policy.identify(others[:1], len(shots), len(gallery())).accepted
        if nearest is None:
            return False
        if users.filter(pk=nearest.key, face_encodings__isnull=False).exists():
            return True
        gallery().forget([nearest.key])
