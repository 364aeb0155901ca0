"""Pictures of any number of people: every face in them found, compared and marked."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from faceauth import conf
from faceauth.capture import samples
from faceauth.recognition.policy import Decision, Outcome
from faceauth.vision import Face, ImageError, ImageTooLargeError, decode_image
from faceauth.vision.alignment import Box
from faceauth.vision.quality import Quality, measure

from . import annotate
from .reference_people import Known

Image = NDArray[np.uint8]

# The detector's windows are this tall: to find smaller faces it enlarges the picture.
WINDOW = 80

# How many pixels the detector is shown at once. It takes about 100 bytes for each.
MOST_PIXELS = 4_000_000

# A picture that is larger is looked at in tiles, and as a whole for faces from so many times the
# smallest on. Tiles share more than that with their neighbours: what is cut by the edge of one
# lies within the next.
WHOLE, SHARED = 4, 5


class Found(NamedTuple):
    """A face in a picture, and whose it is."""

    box: Box
    quality: Quality
    decision: Decision

    @property
    def name(self) -> str:
        """Theirs; "" where it is not known."""
        match = self.decision.accepted
        return str(match.key) if match else ""

    @property
    def mark(self) -> annotate.Mark:
        """How it is drawn: without a name where nobody is near, "?" where several are."""
        unsure = self.decision.outcome is Outcome.AMBIGUOUS
        return annotate.Mark(self.box, bool(self.name), self.name or ("?" if unsure else ""))


class Picture(NamedTuple):
    """A picture that was looked at.

    problem: why it could not be, as `reasons` has it; "" where it could.
    size: width and height in pixels, upright.
    faces: the largest first.
    """

    path: Path
    problem: str = ""
    size: tuple[int, int] = (0, 0)
    faces: list[Found] = []


def recognise(places: tuple[Path, Path], *, known: Known, smallest: float) -> Picture:
    """Who is in a picture.

    places: where it is, and where the copy is to go in which they are marked, of the same size.

    Raises:
        OSError: the copy cannot be written.
    """
    path, copy = places
    try:
        image = _read(path)
    except OSError:
        return Picture(path, "unreadable")
    except ImageError as error:
        return Picture(path, error.code)
    found = [_whose(image, face, known) for face in faces(image, smallest)]
    annotate.draw(image, [each.mark for each in found])
    copy.parent.mkdir(parents=True, exist_ok=True)
    copy.write_bytes(annotate.encoded(image, path.suffix))
    height, width = image.shape[:2]
    return Picture(path, size=(width, height), faces=found)


def faces(image: Image, smallest: float) -> list[Face]:
    """All faces in an RGB image uint8 (height, width, 3) that are so tall, in pixels, or taller;
    the largest first.
    """
    height, width = image.shape[:2]
    side = math.sqrt(MOST_PIXELS) * smallest / WINDOW
    if height * width <= side * side:
        return samples.engine().find_faces(image, smallest=smallest, beside=None)
    found = faces(image, smallest * WHOLE)
    for left, top in _tiles((width, height), round(side), round(smallest * SHARED)):
        tile = np.ascontiguousarray(image[top : top + round(side), left : left + round(side)])
        for face in samples.engine().find_faces(tile, smallest=smallest, beside=None):
            if not _is_cut(face, tile, (left, top), (width, height)):
                found.append(_moved(face, left, top))
    kept: list[Face] = []
    for face in sorted(found, key=lambda each: -each.score):
        if not any(face.is_same_as(other) or other.is_same_as(face) for other in kept):
            kept.append(face)
    return sorted(kept, key=lambda face: -face.size)


def _read(path: Path) -> Image:
    """The picture as large as it is.

    Raises:
        OSError: it cannot be read.
        ImageError: it is none, or too large.
    """
    now = conf.get()
    with path.open("rb") as file:
        data = file.read(now.MAX_UPLOAD_BYTES + 1)
    if len(data) > now.MAX_UPLOAD_BYTES:
        raise ImageTooLargeError("The file is too large.")
    return decode_image(data, max_pixels=now.MAX_IMAGE_PIXELS, max_side=now.MAX_IMAGE_PIXELS)


def _whose(image: Image, face: Face, known: Known) -> Found:
    encoding = samples.engine().encode_with_mirror(image, face)
    quality = measure(image, face.box, face.landmarks)
    return Found(face.box, quality, known.decide(encoding))


def _tiles(size: tuple[int, int], side: int, shared: int) -> Iterator[tuple[int, int]]:
    """The upper left corners of tiles that cover a picture of that width and height."""
    for top in _steps(size[1], side, shared):
        for left in _steps(size[0], side, shared):
            yield left, top


def _steps(length: int, side: int, shared: int) -> range | list[int]:
    if length <= side:
        return [0]
    count = math.ceil((length - shared) / (side - shared))
    return [round(index * (length - side) / (count - 1)) for index in range(count)]


def _is_cut(face: Face, tile: Image, corner: tuple[int, int], size: tuple[int, int]) -> bool:
    """Whether a face reaches over an edge of the tile that is none of the picture's."""
    (left, top), (width, height) = corner, size
    tall, wide = tile.shape[:2]
    return (
        (face.box[0] < 0 < left)
        or (face.box[1] < 0 < top)
        or (face.box[2] > wide and left + wide < width)
        or (face.box[3] > tall and top + tall < height)
    )


def _moved(face: Face, left: int, top: int) -> Face:
    """The face of a tile in the whole picture."""
    box = face.box
    return face._replace(
        box=(box[0] + left, box[1] + top, box[2] + left, box[3] + top),
        landmarks=face.landmarks + (left, top),
    )
