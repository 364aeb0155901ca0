"""A folder of ``<person>/<photo>``, encoded."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

import numpy as np

from faceauth.vision import Engine, ImageError, decode_image
from faceauth.vision.encoding import Encoding

SUFFIXES = {".jpg", ".jpeg", ".png", ".webp"}


class Encoded(NamedTuple):
    """One face as the product would encode it.

    views: as enrolled. float32 (128,).
    quick: as shown at a login. float32 (128,).
    plain: as face_recognition does. float32 (128,).
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
    return sorted(path for path in folder.glob("*/*") if path.suffix.lower() in SUFFIXES)


def encode_all(paths: Sequence[Path], processes: int | None = None) -> Iterator[Photo]:
    """All photos in their order, encoded by several processes; by default one a core."""
    # Not forked: what runs in the parent's threads would be copied half-way.
    context = get_context("spawn")
    with ProcessPoolExecutor(processes or os.cpu_count(), mp_context=context) as pool:
        yield from pool.map(encode, paths, chunksize=8)


def encode(path: Path) -> Photo:
    """One photo. Of several faces the one nearest the middle counts: LFW names a photo after the
    person there.
    """
    try:
        image = decode_image(path.read_bytes())
    except (ImageError, OSError) as error:
        return Photo(path, None, f"unreadable: {error}")
    faces = _engine().find_faces(image)
    if not faces:
        return Photo(path, None, "no face found")
    middle = np.array(image.shape[1::-1]) / 2
    face = min(
        faces, key=lambda each: np.linalg.norm(np.reshape(each.box, (2, 2)).mean(0) - middle)
    )
    networks = _engine().load()
    chips = networks.aligner.views(image, face.landmarks)
    encodings = networks.encoder.encode([*chips, *(chip[:, ::-1] for chip in chips)])
    encoded = Encoded(
        views=encodings.mean(axis=0),
        quick=encodings[[0, len(chips)]].mean(axis=0),
        plain=encodings[0],
    )
    remark = f"{len(faces)} faces, the middle one taken" if len(faces) > 1 else ""
    return Photo(path, encoded, remark)


def by_person(encoded: Sequence[Photo]) -> People:
    """The usable photos of each person, by the folder's name."""
    people: defaultdict[str, list[Encoded]] = defaultdict(list)
    for photo in encoded:
        if photo.encoded:
            people[photo.path.parent.name].append(photo.encoded)
    return dict(people)


@cache
def _engine() -> Engine:
    return Engine()
