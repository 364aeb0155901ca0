"""Encode a folder of photos, ``<person>/<photo>``."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from faceauth.bulk import files
from faceauth.bulk.process_pool import in_processes
from faceauth.capture import samples
from faceauth.vision import Face, ImageError, decode_image
from faceauth.vision.encoding import Encoding


class Encoded(NamedTuple):
    """The encodings of one face, float32 (d,) each.

    Attributes:
        views: The mean over all views and their mirror images, as for a template.
        mirrored: The mean of the face and its mirror image, as for a probe.
        plain: The face alone, as in face_recognition.
    """

    views: Encoding
    mirrored: Encoding
    plain: Encoding


class Photo(NamedTuple):
    """A photo and the face in it.

    Attributes:
        path: The file.
        encoded: The encodings of the face, if there is one.
        remark: The reason why the photo was left out, or why the face may not be the right one.
    """

    path: Path
    encoded: Encoded | None
    remark: str = ""


People = dict[str, list[Encoded]]


def photos(folder: Path) -> list[Path]:
    """Return all photos of all people in `folder`."""
    return sorted(path for path in folder.glob("*/*") if path.suffix.lower() in files.SUFFIXES)


def encode_all(paths: Sequence[Path], processes: int | None = None) -> Iterator[Photo]:
    """Encode photos in several processes, by default one per core, and yield them in order."""
    return in_processes(encode, paths, processes)


def encode(path: Path) -> Photo:
    """Encode one photo.

    Of several faces, the one nearest the centre counts: LFW names a photo after that person.
    """
    try:
        image = decode_image(path.read_bytes())
    except (ImageError, OSError) as error:
        return Photo(path, None, f"unreadable: {error}")
    engine = samples.engine()
    faces = engine.find_faces(image)
    if not faces:
        return Photo(path, None, "no face found")
    face = central_face(image, faces)
    encoder = engine.load().encoder
    chips = encoder.views(image, face.landmarks)
    encodings = encoder.encode([*chips, *(chip[:, ::-1] for chip in chips)])
    encoded = Encoded(
        views=encodings.mean(axis=0),
        mirrored=encodings[[0, len(chips)]].mean(axis=0),
        plain=encodings[0],
    )
    remark = f"{len(faces)} faces, used the one in the centre" if len(faces) > 1 else ""
    return Photo(path, encoded, remark)


def by_person(encoded: Sequence[Photo]) -> People:
    """Return the usable photos of each person, by the name of the folder."""
    people: defaultdict[str, list[Encoded]] = defaultdict(list)
    for photo in encoded:
        if photo.encoded:
            people[photo.path.parent.name].append(photo.encoded)
    return dict(people)


def central_face(image: NDArray[np.uint8], faces: Sequence[Face]) -> Face:
    """Return the face nearest the centre of an image, uint8 (height, width, 3)."""
    centre = np.array(image.shape[1::-1]) / 2
    return min(
        faces, key=lambda each: np.linalg.norm(np.reshape(each.box, (2, 2)).mean(0) - centre)
    )
