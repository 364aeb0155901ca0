"""A folder of ``<person>/<photo>``, encoded."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from django.utils.translation import gettext as _
from numpy.typing import NDArray

from faceauth.bulk import files
from faceauth.bulk.process_pool import in_processes
from faceauth.capture import samples
from faceauth.vision import Face, ImageError, decode_image
from faceauth.vision.encoding import Encoding


class Encoded(NamedTuple):
    """One face as the product would encode it.

    views: as enrolled. float32 (d,).
    quick: as shown at a login. float32 (d,).
    plain: alone, as face_recognition does it. float32 (d,).
    """

    views: Encoding
    quick: Encoding
    plain: Encoding


class Photo(NamedTuple):
    """A photo, its face, and what there is to say about it."""

    path: Path
    encoded: Encoded | None
    remark: str = ""


People = dict[str, list[Encoded]]


def photos(folder: Path) -> list[Path]:
    """All photos of all people in `folder`."""
    return sorted(path for path in folder.glob("*/*") if path.suffix.lower() in files.SUFFIXES)


def encode_all(paths: Sequence[Path], processes: int | None = None) -> Iterator[Photo]:
    """All photos in their order, encoded by several processes; by default one a core."""
    return in_processes(encode, paths, processes)


def encode(path: Path) -> Photo:
    """One photo. Of several faces the one nearest the middle counts: LFW names a photo after the
    person there.
    """
    try:
        image = decode_image(path.read_bytes())
    except (ImageError, OSError) as error:
        return Photo(path, None, _("unreadable: %(why)s") % {"why": error})
    engine = samples.engine()
    faces = engine.find_faces(image)
    if not faces:
        return Photo(path, None, _("no face found"))
    face = middle_one(image, faces)
    encoder = engine.load().encoder
    chips = encoder.views(image, face.landmarks)
    encodings = encoder.encode([*chips, *(chip[:, ::-1] for chip in chips)])
    encoded = Encoded(
        views=encodings.mean(axis=0),
        quick=encodings[[0, len(chips)]].mean(axis=0),
        plain=encodings[0],
    )
    several = _("%(count)d faces, the middle one taken") % {"count": len(faces)}
    remark = several if len(faces) > 1 else ""
    return Photo(path, encoded, remark)


def by_person(encoded: Sequence[Photo]) -> People:
    """The usable photos of each person, by the folder's name."""
    people: defaultdict[str, list[Encoded]] = defaultdict(list)
    for photo in encoded:
        if photo.encoded:
            people[photo.path.parent.name].append(photo.encoded)
    return dict(people)


def middle_one(image: NDArray[np.uint8], faces: Sequence[Face]) -> Face:
    """Of the faces in an image uint8 (height, width, 3), the one nearest its middle."""
    middle = np.array(image.shape[1::-1]) / 2
    return min(
        faces, key=lambda each: np.linalg.norm(np.reshape(each.box, (2, 2)).mean(0) - middle)
    )
