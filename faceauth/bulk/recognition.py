"""Find, recognise and mark every face in pictures of any number of people."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from faceauth import conf
from faceauth.capture import samples
from faceauth.recognition.policy import Decision, Outcome
from faceauth.vision import Face, ImageError, ImageTooLargeError, decode_image
from faceauth.vision.alignment import Box
from faceauth.vision.detection import NEUTRAL
from faceauth.vision.quality import Quality, measure

from . import annotate
from .reference_people import ReferencePeople

Image = NDArray[np.uint8]

# The height of the detector's window in pixels. To find smaller faces, it enlarges the picture.
WINDOW = 80

# The largest picture that the detector gets at once. It needs about 100 bytes for each pixel.
MAX_PIXELS = 4_000_000

# A larger picture is searched in tiles for faces of the smallest height and more, and as a whole
# for faces WHOLE times that height and more. Neighbouring tiles share OVERLAP times the smallest
# height, which is more than WHOLE: a face that the edge of a tile cuts lies within the next one.
WHOLE, OVERLAP = 4, 5

# A large face that the edge of the picture cuts off is found if there is grey beyond the edge. The
# picture is reduced to this shorter side, and searched for faces of this share of it and more.
CUT_SIDE, CUT_SHARE = 480, 0.25


class FoundFace(NamedTuple):
    """A face in a picture, and the decision which person it is."""

    box: Box
    quality: Quality
    decision: Decision

    @property
    def name(self) -> str:
        """The person's name; "" if the person is not recognised."""
        match = self.decision.accepted
        return str(match.key) if match else ""

    @property
    def mark(self) -> annotate.Mark:
        """The mark to draw: with the name, with "?" if several people are near, or without text."""
        ambiguous = self.decision.outcome is Outcome.AMBIGUOUS
        return annotate.Mark(self.box, bool(self.name), self.name or ("?" if ambiguous else ""))


class Picture(NamedTuple):
    """A picture and its faces.

    Attributes:
        path: The file.
        problem: Why it could not be read, a key of `messages.PHOTO_REASONS`; "" if it could.
        size: Width and height in pixels, upright.
        faces: The faces, the largest first.
    """

    path: Path
    problem: str = ""
    size: tuple[int, int] = (0, 0)
    faces: list[FoundFace] = []


def recognise(paths: tuple[Path, Path], *, people: ReferencePeople, smallest: float) -> Picture:
    """Recognise the people in a picture, and write a copy in which they are marked.

    Args:
        paths: The picture, and the copy to write, which has the same size.
        people: The people to compare with.
        smallest: The height of the smallest face to find, in pixels.

    Raises:
        OSError: The copy cannot be written.
    """
    path, copy = paths
    try:
        image = _read(path)
    except OSError:
        return Picture(path, "unreadable")
    except ImageError as error:
        return Picture(path, error.code)
    found = [_identify(image, face, people) for face in find_faces(image, smallest)]
    annotate.draw(image, [each.mark for each in found])
    copy.parent.mkdir(parents=True, exist_ok=True)
    copy.write_bytes(annotate.encode(image, path.suffix))
    height, width = image.shape[:2]
    return Picture(path, size=(width, height), faces=found)


def find_faces(image: Image, smallest: float) -> list[Face]:
    """Return the faces in an RGB image, uint8 (height, width, 3), the largest first.

    Args:
        image: The image, of any size.
        smallest: The height of the smallest face to find, in pixels.
    """
    return _distinct(_whole_faces(image, smallest) + _cut_faces(image, smallest))


def _whole_faces(image: Image, smallest: float) -> list[Face]:
    """Return the faces that lie within the picture, or nearly."""
    height, width = image.shape[:2]
    side = math.sqrt(MAX_PIXELS) * smallest / WINDOW
    if height * width <= side * side:
        return samples.engine().find_faces(image, smallest=smallest, beside=None)
    found = _whole_faces(image, smallest * WHOLE)
    for left, top in _tiles((width, height), round(side), round(smallest * OVERLAP)):
        tile = np.ascontiguousarray(image[top : top + round(side), left : left + round(side)])
        for face in samples.engine().find_faces(tile, smallest=smallest, beside=None):
            if not _is_cut(face, tile, (left, top), (width, height)):
                found.append(_moved(face, left, top))
    return _distinct(found)


def _cut_faces(image: Image, smallest: float) -> list[Face]:
    """Return the large faces of which up to about 40 % lie beyond the edge of the picture.

    Strangers are no nearer to enrolled people with them than with whole faces: of 245 people, at
    35 % cut off, one in 1,000 pairs is nearer than 0.50, with whole faces 0.52.
    """
    height, width = image.shape[:2]
    scale = min(1.0, CUT_SIDE / min(height, width))
    size = (round(width * scale), round(height * scale))
    framed: Any = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    border = min(size) // 2
    framed = cv2.copyMakeBorder(framed, *(border,) * 4, cv2.BORDER_CONSTANT, value=NEUTRAL)
    least = max(smallest * scale, CUT_SHARE * min(size))
    faces = samples.engine().find_faces(framed, smallest=least, beside=None)
    moved = (_moved(face, -border, -border, 1 / scale) for face in faces)
    return [face for face in moved if _crosses_edge(face, width, height)]


def _distinct(found: Iterable[Face]) -> list[Face]:
    """Return each face once, the largest first."""
    kept: list[Face] = []
    for face in sorted(found, key=lambda each: -each.score):
        if not any(face.is_same_as(other) or other.is_same_as(face) for other in kept):
            kept.append(face)
    return sorted(kept, key=lambda face: -face.size)


def _read(path: Path) -> Image:
    """Return the picture in its full size.

    Raises:
        OSError: The file cannot be read.
        ImageError: The file is not a picture, or is too large.
    """
    settings = conf.get()
    with path.open("rb") as file:
        data = file.read(settings.MAX_UPLOAD_BYTES + 1)
    if len(data) > settings.MAX_UPLOAD_BYTES:
        raise ImageTooLargeError("The file is too large.")
    max_pixels = settings.MAX_IMAGE_PIXELS
    return decode_image(data, max_pixels=max_pixels, max_side=max_pixels)


def _identify(image: Image, face: Face, people: ReferencePeople) -> FoundFace:
    encoding = samples.engine().encode_with_mirror(image, face)
    quality = measure(image, face.box, face.landmarks)
    return FoundFace(face.box, quality, people.identify(encoding))


def _tiles(size: tuple[int, int], side: int, overlap: int) -> Iterator[tuple[int, int]]:
    """Yield the upper left corners of tiles that cover a picture of that width and height."""
    for top in _steps(size[1], side, overlap):
        for left in _steps(size[0], side, overlap):
            yield left, top


def _steps(length: int, side: int, overlap: int) -> range | list[int]:
    if length <= side:
        return [0]
    count = math.ceil((length - overlap) / (side - overlap))
    return [round(index * (length - side) / (count - 1)) for index in range(count)]


def _is_cut(face: Face, tile: Image, corner: tuple[int, int], size: tuple[int, int]) -> bool:
    """Return True if a face crosses an edge of the tile that is not an edge of the picture."""
    (left, top), (width, height) = corner, size
    tile_height, tile_width = tile.shape[:2]
    return (
        (face.box[0] < 0 < left)
        or (face.box[1] < 0 < top)
        or (face.box[2] > tile_width and left + tile_width < width)
        or (face.box[3] > tile_height and top + tile_height < height)
    )


def _crosses_edge(face: Face, width: int, height: int) -> bool:
    left, top, right, bottom = face.box
    return left < 0 or top < 0 or right > width or bottom > height


def _moved(face: Face, left: int, top: int, scale: float = 1.0) -> Face:
    """Return a face that was found in a part of the picture with its place in the picture.

    Args:
        face: The face.
        left: Where the part begins.
        top: Where the part begins.
        scale: The factor from the part, once moved, to the picture.
    """
    x, y, right, bottom = (
        round((side + by) * scale)
        for side, by in zip(face.box, (left, top, left, top), strict=True)
    )
    return face._replace(
        box=(x, y, right, bottom), landmarks=(face.landmarks + (left, top)) * scale
    )
