"""Look-alikes: enrolled users who are so close that one could be taken for the other."""

from __future__ import annotations

from itertools import chain
from operator import attrgetter
from typing import Any, NamedTuple

import numpy as np
from django.contrib.auth import get_user_model
from django.db.models import Q
from numpy.typing import NDArray

from faceauth import conf, faces
from faceauth.gallery import gallery
from faceauth.recognition import policy
from faceauth.recognition.matching import Templates, distance
from faceauth.recognition.policy import Match
from faceauth.vision.encoding import Encoding

# The maximum number of users to compare, those whose faces changed last. Each takes a decryption,
# and the page must not be slow. An enrolment is compared with everyone, and `face_calibrate`
# compares all.
MAX_COMPARED = 500

_BLOCK = 512

ENROLLED = Q(face_encodings__isnull=False)


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


def owner_of(user: Any, rows: Encoding) -> Any:
    """Return the other user whose face a user's new template could be taken for, or None.

    Users who may not log in count as well: they may be allowed to later. An owner who enrols again
    is compared only with faces that are not flagged: otherwise whoever enrolled photos of them
    would make their own face a look-alike.

    Args:
        user: The owner of the new template, who need not be saved.
        rows: The encodings of the new template, float32 (n, d).
    """
    found = _nearest(user, rows, flagged=False)
    if found is not None or _renews(user, rows):
        return found
    return _nearest(user, rows, flagged=True)


def of(user: Any, count: int) -> list[Any]:
    """Return up to `count` users whose faces this user's enrolled face could be taken for."""
    rows = faces.of(user).face_encodings
    searches = [gallery().nearest(rows, count + 1, flagged=flagged) for flagged in (False, True)]
    near = sorted(chain(*searches), key=attrgetter("distance"))
    keys = [match.key for match in near if match.key != user.pk and _accepts(match, rows)]
    users = get_user_model()._default_manager.in_bulk(keys[:count])
    return [users[key] for key in keys if key in users]


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
    users = faces.users().filter(faces.user_condition(ENROLLED))
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


def _nearest(user: Any, rows: Encoding, flagged: bool) -> Any:
    """Return the nearest other user if a face-alone login could be accepted as theirs, or None."""
    enrolled = faces.users().filter(faces.user_condition(ENROLLED))
    while True:
        near = gallery().nearest(rows, flagged=flagged)
        match = next((match for match in near if match.key != user.pk), None)
        if match is None or not _accepts(match, rows):
            return None
        if owner := enrolled.filter(pk=match.key).first():
            return owner
        gallery().forget([match.key])


def _accepts(match: Match, rows: Encoding) -> bool:
    return bool(policy.identify([match], len(rows), len(gallery())).accepted)


def _renews(user: Any, rows: Encoding) -> bool:
    """Return True if the new template is of the face that the user has enrolled, without a flag."""
    face = faces.rows().filter(pk=user.pk).first()
    if face is None or not face.has_face or face.face_flagged_at is not None:
        return False
    current = face.face_encodings
    return _accepts(Match(user.pk, distance(current, rows), len(current)), rows)


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
