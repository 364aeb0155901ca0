"""The people whom the faces in pictures are compared with."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from django.db.models import Q

from faceauth import faces
from faceauth.recognition import policy
from faceauth.recognition.matching import Templates
from faceauth.recognition.policy import Decision, Match
from faceauth.vision.encoding import Encoding


class ReferencePeople(NamedTuple):
    """People and their templates.

    Attributes:
        names: The names of the people.
        shots: The number of pictures behind each template.
        templates: The templates.
    """

    names: list[str]
    shots: list[int]
    templates: Templates

    @classmethod
    def from_encodings(cls, people: dict[str, Encoding]) -> ReferencePeople:
        """Make templates of each person's encodings, float32 (n, d), by name."""
        shots = [len(each) for each in people.values()]
        return cls(list(people), shots, Templates.from_encodings(people.values()))

    def joined(self, others: ReferencePeople) -> ReferencePeople:
        """Return these people and the others."""
        pairs = zip(self.templates, others.templates, strict=True)
        templates = Templates(*map(np.concatenate, pairs))
        return ReferencePeople(self.names + others.names, self.shots + others.shots, templates)

    def nearest(self, probe: Encoding, count: int) -> list[Match]:
        """Return the `count` people nearest to a probe, float32 (n, d), nearest first."""
        found = self.templates.nearest(probe, count) if self.names else []
        return [Match(self.names[row], distance, self.shots[row]) for row, distance in found]

    def identify(self, encoding: Encoding) -> Decision:
        """Decide which person a face, float32 (d,), is, as at a login without a username."""
        return policy.identify(self.nearest(encoding[None], 2), 1, len(self.names))


def enrolled() -> ReferencePeople:
    """Return all people whose face is enrolled and readable, by username."""
    users = (
        faces.users().filter(faces.user_condition(Q(face_encodings__isnull=False))).order_by("pk")
    )
    every = ((user.get_username(), faces.of(user)) for user in users.iterator())
    people = {name: face.face_encodings for name, face in every if face.has_face}
    return ReferencePeople.from_encodings(people)
