"""Those whom faces in pictures are compared with."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from django.db.models import Q

from faceauth import faces
from faceauth.recognition import policy
from faceauth.recognition.matching import Templates
from faceauth.recognition.policy import Decision, Match
from faceauth.vision.encoding import Encoding


class Known(NamedTuple):
    """People by name.

    shots: of how many pictures each template is made.
    """

    names: list[str]
    shots: list[int]
    templates: Templates

    @classmethod
    def of(cls, people: dict[str, Encoding]) -> Known:
        """Of everybody's encodings, float32 (n, d)."""
        shots = [len(each) for each in people.values()]
        return cls(list(people), shots, Templates.from_encodings(people.values()))

    def joined(self, others: Known) -> Known:
        """These and others."""
        both = zip(self.templates, others.templates, strict=True)
        templates = Templates(*map(np.concatenate, both))
        return Known(self.names + others.names, self.shots + others.shots, templates)

    def nearest(self, probe: Encoding, count: int) -> list[Match]:
        """The `count` of these nearest to encodings, float32 (n, d), nearest first."""
        found = self.templates.nearest(probe, count) if self.names else []
        return [Match(self.names[row], distance, self.shots[row]) for row, distance in found]

    def decide(self, encoding: Encoding) -> Decision:
        """Whom one face shows, float32 (d,), as at a login without a username."""
        return policy.identify(self.nearest(encoding[None], 2), 1, len(self.names))


def enrolled() -> Known:
    """Everybody whose face is enrolled, by username."""
    users = (
        faces.users().filter(faces.user_condition(Q(face_encodings__isnull=False))).order_by("pk")
    )
    every = ((user.get_username(), faces.of(user)) for user in users.iterator())
    return Known.of({name: face.face_encodings for name, face in every if face.has_face})
