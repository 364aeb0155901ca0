"""Look-alikes: enrolled users who are so close that one could be taken for the other."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from django.contrib.auth import get_user_model
from django.db.models import Q
from numpy.typing import NDArray

from faceauth import conf, faces
from faceauth.recognition import policy
from faceauth.recognition.matching import Templates

# The maximum number of users to compare, those whose faces changed last. Each takes a decryption,
# and the page must not be slow. An enrolment is compared with everyone, and `face_calibrate`
# compares all.
MAX_COMPARED = 500

_BLOCK = 512


class Pair(NamedTuple):
    """Two users, their distance, and the distance up to which one is taken for the other."""

    one: Any
    other: Any
    distance: float
    limit: float


class Result(NamedTuple):
    """The look-alikes that were found.

    Attributes:
        pairs: The closest pairs.
        too_close: The number of all such pairs.
        compared: The number of users who were compared.
        enrolled: The number of users with a face.
    """

    pairs: list[Pair]
    too_close: int
    compared: int
    enrolled: int


def rate(enrolled: int) -> float:
    """Return the maximum false-match rate for each user, if this number of users is enrolled."""
    settings = conf.get()
    if not settings.FACE_ALONE:
        return settings.MAX_FALSE_MATCH_RATE
    return settings.MAX_FALSE_IDENTIFICATION_RATE / max(enrolled, 1)


def find(max_pairs: int) -> Result:
    """Compare the `MAX_COMPARED` users whose faces changed last, each with all others.

    Args:
        max_pairs: The maximum number of pairs in the result.
    """
    users = faces.users().filter(faces.user_condition(Q(face_encodings__isnull=False)))
    enrolled = users.count()
    changed, encodings = map(faces.user_lookup, ("face_changed_at", "face_encodings"))
    latest = users.order_by(f"-{changed}").only(get_user_model().USERNAME_FIELD, encodings)
    people = [user for user in latest[:MAX_COMPARED] if faces.of(user).has_face]
    found = [faces.of(user) for user in people]
    templates = Templates.from_encodings(face.face_encodings for face in found)
    limits, indices = _limits([face.face_shots for face in found], rate(enrolled))
    count, pairs = 0, []
    for start in range(0, len(people), _BLOCK):
        block = slice(start, start + _BLOCK)
        rows = Templates(templates.vectors[block], templates.margins[block])
        allowed = limits[indices[block]][:, indices]
        distances = rows.distances(templates)
        for row, column in np.argwhere(distances <= allowed):
            if (one := start + row) < column:  # each pair once, and no user with themselves
                distance, limit = float(distances[row, column]), float(allowed[row, column])
                pairs.append(Pair(people[one], people[column], distance, limit))
                count += 1
        pairs = sorted(pairs, key=lambda pair: pair.distance)[:max_pairs]
    return Result(pairs, count, len(people), enrolled)


def _limits(counts: list[int], rate: float) -> tuple[NDArray[np.float32], NDArray[np.intp]]:
    """Return the maximum distances by numbers of shots, and the index of each user's number.

    Args:
        counts: The number of shots of each user.
        rate: The maximum false-match rate.

    Returns:
        The distances, float32 (k, k), for the k different numbers of shots; and for each user the
        index of their number, (n,).
    """
    shots, indices = np.unique(np.array(counts, np.intp), return_inverse=True)
    # Either user can be the probe. The larger of the two limits is the one that accepts them.
    either = [
        [
            max(policy.limit(int(n), int(m), rate).distance for n, m in ((i, j), (j, i)))
            for j in shots
        ]
        for i in shots
    ]
    return np.array(either, np.float32).reshape(len(shots), len(shots)), indices
