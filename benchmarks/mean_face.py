"""Make the mean face of head poses (``python -m benchmarks.mean_face FOLDER``).

FOLDER has a folder of photos for each person, like LFW. One photo of each counts, if the person
looks straight ahead in it.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from faceauth.vision import Engine, ImageError, decode_image
from faceauth.vision.face_mesh import PRESENT
from faceauth.vision.head_pose import FILE

STRAIGHT = 0.1  # of the depth that shows as a shift to the side
ROUNDS = 5

Array = NDArray[np.float64]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.mean_face", description=__doc__)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    face, people = mean_face(meshes(folder))
    np.save(FILE, face.astype(np.float32))
    print(f"The mean of {people} people is in {FILE}.")


def meshes(folder: Path) -> Array:
    """Return one mesh of each person, (n, 468, 3), upright, around its centre, of size 1."""
    cv2.setNumThreads(1)
    engine, found = Engine(), []
    for person in sorted(each for each in folder.iterdir() if each.is_dir()):
        try:
            image = decode_image(min(person.iterdir()).read_bytes())
        except (ImageError, ValueError):
            continue
        faces = engine.find_faces(image)
        if len(faces) != 1:
            continue
        mesh = engine.mesh(image, faces[0])
        if mesh.presence > PRESENT:
            found.append(_upright(mesh.points.astype(np.float64)))
    return np.array(found)


def mean_face(found: Array) -> tuple[Array, int]:
    """Return the symmetric mean, (468, 3), of those who look straight ahead, and their number."""
    mirror = _mirrored(found.mean(axis=0))
    straight, face = found, found.mean(axis=0)
    for _ in range(ROUNDS):
        face = straight.mean(axis=0)
        face = (face + face[mirror] * (-1, 1, 1)) / 2
        fitted = np.linalg.pinv(face) @ found[:, :, :2]
        turns = fitted[:, 2]
        turned = np.abs(turns - (0, np.median(turns[:, 1])))
        straight = found[(turned < STRAIGHT).all(axis=1)]
    return face, len(straight)


def _upright(points: Array) -> Array:
    across = points[263] - points[33]
    angle = np.arctan2(across[1], across[0])
    points = points - points.mean(axis=0)
    turn = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    points[:, :2] = points[:, :2] @ np.array(turn)
    return points / np.sqrt((points[:, :2] ** 2).sum(axis=1).mean())


def _mirrored(face: Array) -> NDArray[np.int64]:
    """Return the index of each point's mirror image."""
    mirror = face * (-1, 1, 1)
    return ((face[:, None] - mirror[None]) ** 2).sum(axis=2).argmin(axis=1)


if __name__ == "__main__":
    main()
