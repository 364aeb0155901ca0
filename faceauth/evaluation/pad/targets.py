"""The people who are attacked: from photos of them, and from films."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from faceauth import enrolment
from faceauth.capture import samples
from faceauth.errors import FaceError
from faceauth.vision import Face
from faceauth.vision.encoding import Encoding
from faceauth.vision.head_pose import head_pose

from . import films
from .portraits import Portrait, read_portrait
from .rendering import Image

SHOTS = 5  # of a template, at most
MAX_PHOTOS = 12  # of a person that are read
AHEAD = 15.0  # degrees: the photo of an attacker who has only one looks ahead

# The folder of a film says what it is; others are films of heads.
ANIMATED, REPLAYED, HEADS = "animated", "replayed", "heads"


@dataclass(frozen=True)
class Target:
    """A person who is attacked.

    Attributes:
        name: The name of the person's folder, or of the film.
        template: What is enrolled, float32 (n, d).
        photos: What the attacker has; the first looks ahead.
        enrolled: The photos that are enrolled.
        film: The same, if it is a film or a picture.
        role: Of the film: `ANIMATED`, `REPLAYED` or `HEADS`.
    """

    name: str
    template: Encoding
    photos: tuple[Portrait, ...] = ()
    enrolled: tuple[Portrait, ...] = ()
    film: Path | None = None
    role: str = ""

    @property
    def photo(self) -> Portrait:
        """The photo of an attacker who has only one."""
        return self.photos[0]


def by_person(paths: Sequence[Path], seed: int) -> list[list[Path]]:
    """Return the photos of each person who has at least two, the people in random order."""
    people: dict[str, list[Path]] = {}
    for path in paths:
        people.setdefault(path.parent.name, []).append(path)
    enough = [people[name] for name in sorted(people) if len(people[name]) > 1]
    return [enough[index] for index in np.random.default_rng(seed).permutation(len(enough))]


def from_photos(paths: Sequence[Path]) -> Target | None:
    """Return the person in these photos; None if too few of them can be used.

    The attacker has the photo that looks ahead most nearly, and the others are enrolled; of many,
    the first ones are, and the attacker has all others.
    """
    found = [each for path in paths[:MAX_PHOTOS] if (each := read_portrait(path))]
    found.sort(key=lambda photo: photo.aside)
    if len(found) < 2 or found[0].aside > AHEAD:
        return None
    first, *others = found
    enrolled = others[:SHOTS]
    template = np.stack([photo.encoding for photo in enrolled])
    if not can_be_enrolled(template):
        return None
    return Target(paths[0].parent.name, template, (first, *others[SHOTS:]), tuple(enrolled))


def can_be_enrolled(template: Encoding) -> bool:
    """Return True if the shots of a template are different pictures of one person."""
    try:
        enrolment.check_same_person(template)
        enrolment.check_no_copies(template)
    except FaceError:
        return False
    return True


def from_film(path: Path) -> Target | None:
    """Return the person in a film; None if it shows no face."""
    engine = samples.engine()
    frames = films.read(path).frames
    found: list[tuple[float, int, Image, Face]] = []
    for frame in frames[:: max(1, len(frames) // 30)]:
        faces = engine.find_faces(frame)
        if len(faces) == 1:
            pose = head_pose(engine.mesh(frame, faces[0]).points)
            found.append((float(np.hypot(pose.yaw, pose.pitch)), len(found), frame, faces[0]))
    if not found:
        return None
    shots: list[Encoding] = []
    for _, _, frame, face in sorted(found, key=lambda each: each[:2]):
        shot = engine.encode_views(frame, face)
        # Most frames of a film hardly differ.
        if can_be_enrolled(np.stack([*shots, shot])):
            shots.append(shot)
        if len(shots) == SHOTS:
            break
    role = path.parent.name if path.parent.name in (ANIMATED, REPLAYED) else HEADS
    return Target(path.stem, np.stack(shots), film=path, role=role)
