"""Measure what hides a face: dark glasses, a mask, or light from behind.

They are for advice, not for a refusal. The bounds were set on 1,082 photos of LFW, and on glasses,
masks and windows that were drawn into them. Of 855 other people, 9 of whom wear dark glasses, these
9 and 3 others were told so, 2 that their face is covered, and none that the light is behind them.
Of the drawn glasses 95 % are noticed, and of the drawn masks under which a face is found at all, 81
to 92 %.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from .alignment import Box
from .face_mesh import Mesh

Image = NDArray[np.uint8]

# Points of the mesh: around each eye as far as a lens reaches, and on the skin.
_EYES = (
    (226, 31, 228, 229, 230, 231, 232, 233, 244, 189, 221, 222, 223, 224, 225, 113),
    (446, 261, 448, 449, 450, 451, 452, 453, 464, 413, 441, 442, 443, 444, 445, 342),
)
_CHEEKS = (50, 101, 36, 280, 330, 266, 117, 346, 205, 425)
_FOREHEAD = (151, 9, 108, 337, 69, 299)
_NOSE = (195, 5, 4, 45, 275, 197)
_CHIN = (18, 200, 199, 175, 83, 313, 201, 421, 208, 428, 32, 262)
_JAW = (205, 425, 207, 427, 192, 416)
_TOP, _BOTTOM = 10, 152

_SPOT = 0.03  # the radius around a point, as a share of the face's height

# The share of the light of the skin that the lightest tenth around the eyes keeps. Dark glasses:
# 0.1 to 0.45, drawn ones 0.15 to 0.39; of eyes without, 1 of 1,073 is below 0.46.
DARK_LENSES = 0.46

# Masks that were drawn have a presence below 9 in 95 of 100; of 1,082 faces, 5 have one. Of those,
# none has a chin and cheeks in another colour than its forehead by as much.
HIDDEN_PRESENCE, OTHER_COLOUR = 10.0, 10.0

# Of 571 faces, all have a lightest twentieth of 110 grey levels and more, also where skin is dark.
# Faces that were drawn before a window have 36 to 74.
DIM, SURROUNDINGS = 95.0, 1.6


class Visibility(NamedTuple):
    """What hides a face.

    Attributes:
        dark_lenses: Dark glasses hide the eyes.
        covered: A mask or a hand hides the mouth and the chin.
        backlit: The light is behind the person.
    """

    dark_lenses: bool
    covered: bool
    backlit: bool


def visibility(image: Image, box: Box, mesh: Mesh) -> Visibility:
    """Return what hides a face that looks into the camera.

    Args:
        image: RGB, uint8 (height, width, 3).
        box: The face's box, (left, top, right, bottom) in pixels.
        mesh: Of the face.
    """
    return Visibility(
        dark_lenses=_light_at_eyes(image, mesh) < DARK_LENSES,
        covered=mesh.presence < HIDDEN_PRESENCE and _colour_of_mouth(image, mesh) > OTHER_COLOUR,
        backlit=is_backlit(image, box),
    )


def is_backlit(image: Image, box: Box) -> bool:
    """Return True if the face is dim before something bright."""
    left, top, right, bottom = (max(0, each) for each in box)
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    face = grey[top:bottom, left:right]
    if not face.size:
        return False
    light = float(np.percentile(face, 95))
    # The hair above and the body below are no surroundings.
    height, width = bottom - top, right - left
    beside = np.ones(grey.shape, bool)
    beside[max(0, top - height // 2) :, max(0, left - width // 3) : right + width // 3] = False
    around = grey[beside]
    return light < DIM and around.size > 0 and float(around.mean()) > SURROUNDINGS * light


def _light_at_eyes(image: Image, mesh: Mesh) -> float:
    """Return how light it is around the lighter eye, as a share of the light of the skin."""
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    skin = [np.median(_spots(grey, mesh, places)) for places in (_CHEEKS, _FOREHEAD, _NOSE)]
    lenses = [_inside(grey, mesh, places) for places in _EYES]
    light = max(float(np.percentile(each, 90)) if each.size else np.inf for each in lenses)
    return light / max(float(np.median(skin)), 1.0)


def _colour_of_mouth(image: Image, mesh: Mesh) -> float:
    """Return how far the colour of chin and cheeks is from that of the forehead, in CIELAB."""
    height, width = image.shape[:2]
    left, top = np.clip(mesh.points[:, :2].min(axis=0).astype(int) - 2, 0, (width - 1, height - 1))
    right, bottom = mesh.points[:, :2].max(axis=0).astype(int) + 3
    part = image[top : max(bottom, top + 1), left : max(right, left + 1)]
    lab = cv2.cvtColor(part.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    moved = mesh._replace(points=mesh.points - np.array([left, top, 0], np.float32))
    forehead, chin, jaw = (
        np.median(_spots(lab[..., 1:], moved, places), axis=0)
        for places in (_FOREHEAD, _CHIN, _JAW)
    )
    return float(min(np.hypot(*(chin - forehead)), np.hypot(*(jaw - forehead))))


def _spots(image: NDArray, mesh: Mesh, places: tuple[int, ...]) -> NDArray:
    """Return the median of the image around each of these points, (n,) or (n, channels).

    Points outside the image count as those at its edge.
    """
    height, width = image.shape[:2]
    size = float(np.linalg.norm(mesh.points[_TOP, :2] - mesh.points[_BOTTOM, :2]))
    reach = max(1, int(_SPOT * size))
    found = []
    for x, y in mesh.points[places, :2]:
        column, row = (int(np.clip(x, 0, width - 1)), int(np.clip(y, 0, height - 1)))
        spot = image[
            max(0, row - reach) : row + reach + 1, max(0, column - reach) : column + reach + 1
        ]
        found.append(np.median(spot, axis=(0, 1)))
    return np.array(found)


def _inside(grey: NDArray, mesh: Mesh, places: tuple[int, ...]) -> NDArray:
    """Return the pixels within these points."""
    hull = cv2.convexHull(mesh.points[list(places), :2].round().astype(np.int32))
    left, top, width, height = cv2.boundingRect(hull)
    left, top = max(0, left), max(0, top)
    part = grey[top : top + height, left : left + width]
    if not part.size:
        return part.reshape(0)
    within = np.zeros(part.shape, np.uint8)
    cv2.fillConvexPoly(within, hull - np.array([left, top], np.int32), 1)
    return part[within.astype(bool)]
