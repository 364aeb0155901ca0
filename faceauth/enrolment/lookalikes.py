"""People enrolled who are so near to each other that one could log in as the other."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from django.contrib.auth import get_user_model
from django.db.models import Q
from numpy.typing import NDArray

from faceauth import conf, faces
from faceauth.recognition import policy
from faceauth.recognition.matching import Templates

# Of so many, the ones that changed last: each costs a decryption, and the page is to come at once.
# Whoever enrols is compared with everybody, and `face_calibrate` compares all.
MAX_COMPARED = 500

_BLOCK = 512


class Pair(NamedTuple):
    """Two users, how far apart they are, and up to where one is taken for the other."""

    one: Any
    other: Any
    distance: float
    limit: float


class Found(NamedTuple):
    """The nearest of the pairs that are too near, how many such there are, and among how many of
    those enrolled they were looked for.
    """

    pairs: list[Pair]
    too_near: int
    looked_at: int
    enrolled: int


def rate(enrolled: int) -> float:
    """The false-match rate that each of so many people is held to."""
    now = conf.get()
    if not now.FACE_ALONE:
        return now.MAX_FALSE_MATCH_RATE
    return now.MAX_FALSE_IDENTIFICATION_RATE / max(enrolled, 1)


def find(shown: int) -> Found:
    """Compare everybody with everybody else, of the `MAX_COMPARED` whose faces changed last."""
    users = faces.users().filter(faces.user_condition(Q(face_encodings__isnull=False)))
    enrolled = users.count()
    changed, encodings = map(faces.user_lookup, ("face_changed_at", "face_encodings"))
    latest = users.order_by(f"-{changed}").only(get_user_model().USERNAME_FIELD, encodings)
    people = [user for user in latest[:MAX_COMPARED] if faces.of(user).has_face]
    found = [faces.of(user) for user in people]
    templates = Templates.from_encodings(face.face_encodings for face in found)
    limits, kinds = _limits([face.face_shots for face in found], rate(enrolled))
    count, pairs = 0, []
    for start in range(0, len(people), _BLOCK):
        block = slice(start, start + _BLOCK)
        rows = Templates(templates.vectors[block], templates.margins[block])
        allowed = limits[kinds[block]][:, kinds]
        distances = rows.distances(templates)
        for row, column in np.argwhere(distances <= allowed):
            if (one := start + row) < column:  # each pair once, and nobody with themselves
                apart, limit = float(distances[row, column]), float(allowed[row, column])
                pairs.append(Pair(people[one], people[column], apart, limit))
                count += 1
        pairs = sorted(pairs, key=lambda pair: pair.distance)[:shown]
    return Found(pairs, count, len(people), enrolled)


def _limits(counts: list[int], rate: float) -> tuple[NDArray[np.float32], NDArray[np.intp]]:
    """The distance up to which people with so many shots are one, by kinds of people (k, k), and
    of which kind each is.
    """
    shots, kinds = np.unique(np.array(counts, np.intp), return_inverse=True)
    # Whichever of the two is the probe: the laxer limit is the one that lets them in.
    either = [
        [
            max(policy.limit(int(n), int(m), rate).distance for n, m in ((i, j), (j, i)))
            for j in shots
        ]
        for i in shots
    ]
    return np.array(either, np.float32).reshape(len(shots), len(shots)), kinds
