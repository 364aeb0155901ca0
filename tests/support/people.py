"""The people of the tests: their pictures, and what the site computes from them."""

from __future__ import annotations

from typing import Any

from django.core import mail

from faceauth import enrolment, faces
from faceauth.capture import samples
from faceauth.vision.encoding import Encoding
from tests.support.faces import Faces
from tests.support.webcam import snapshot

# As many pictures of one person as an enrolment takes.
OBAMA = ("obama", "obama2", "obama3", "obama left", "obama up")


def picture(name: str) -> bytes:
    """That photograph, or "obama left": a frame of a webcam before which the person turns."""
    return snapshot(name) if " " in name else Faces()[name]


def encodings(*names: str) -> Encoding:
    """What the site computes from these pictures, float32 (n, 128)."""
    return samples.encodings([picture(name) for name in names])


def enrol_silently(user: Any, encodings: Any, *more: Any) -> None:
    """Enrol a face as `enrolment.enrol` does, long ago, and leave no event and no mail of it."""
    event = enrolment.enrol(user, encodings, *more)
    event.delete()
    faces.row(user).update(face_renewed_at=None)
    faces.of(user).face_renewed_at = None
    mail.outbox = [each for each in mail.outbox if user.email not in each.to]
