"""The people of the tests: their pictures, and what the site computes from them."""

from __future__ import annotations

from functools import cache
from io import BytesIO
from typing import Any

from django.core import mail
from PIL import Image

from faceauth import enrolment, faces
from faceauth.capture import samples
from faceauth.vision.encoding import Encoding
from tests.support.faces import Faces
from tests.support.webcam import snapshot

# As many pictures of one person as an enrolment takes.
OBAMA = ("obama", "obama2", "obama3", "obama left", "obama up")


def picture(name: str) -> bytes:
    """That photograph as a page sends it, or "obama left": a webcam's frame of a turned head."""
    return snapshot(name) if " " in name else small(name)


@cache
def small(name: str) -> bytes:
    """That photograph, no larger than what may be sent by anyone."""
    photograph = Image.open(BytesIO(Faces()[name]))
    photograph.thumbnail((760, 760))
    saved = BytesIO()
    photograph.convert("RGB").save(saved, "JPEG", quality=90)
    return saved.getvalue()


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
