"""Faces into accounts and out again: the one writer of the mixin's columns."""

from __future__ import annotations

from itertools import combinations

import numpy as np
from django.utils import timezone

from . import errors
from .fields import checked
from .models import FaceTemplateMixin
from .vision.encoding import Encoding, template

# Two photos of one person taken at different times lie within this 97 times in 100, of two
# people 1 time in 100 (the 1,000 pairs of LFW's development set).
SAME_PERSON_WITHIN = 0.42

FIELDS = ("face_encodings", "face_enrolled_at", "face_consented_at", "face_changed_at")


def check_same_person(encodings: Encoding) -> None:
    """Let pass encodings, float32 (n, 128), that are all near each other.

    Raises:
        NotSamePerson: two of them are not.
    """
    shots = [template(each[None]) for each in encodings]
    if any(np.linalg.norm(a - b) > SAME_PERSON_WITHIN for a, b in combinations(shots, 2)):
        raise errors.NotSamePerson()


def enrol(user: FaceTemplateMixin, encodings: Encoding) -> None:
    """Make `encodings`, mirror-averaged float32 (n, 128), the user's template.

    The user has agreed to it: that is noted with the time. Replaces what was enrolled before.

    Raises:
        NotSamePerson: the encodings are of more than one person.
        ValidationError: they are no encodings.
    """
    encodings = checked(encodings)
    check_same_person(encodings)
    now = timezone.now()
    user.face_encodings = encodings
    user.face_enrolled_at = user.face_consented_at = user.face_changed_at = now
    user.save(update_fields=FIELDS)


def revoke(user: FaceTemplateMixin) -> None:
    """Remove the user's face and all that was kept with it."""
    user.face_encodings = None
    user.face_enrolled_at = user.face_consented_at = user.face_last_used_at = None
    user.face_changed_at = timezone.now()
    user.save(update_fields=[*FIELDS, "face_last_used_at"])
