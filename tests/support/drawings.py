"""Draw into pictures of faces what people wear and stand before."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

from faceauth.vision import Engine

_EYES = ((33, 133), (263, 362))
_MASK = (
    (6, 122, 47, 101, 117, 123, 147, 213, 172, 136, 150, 149, 176, 148, 152)
    + (377, 400, 378, 379, 365, 397, 433, 376, 352, 346, 330, 277, 351)
)  # fmt: skip


def with_dark_glasses(picture: Any) -> Any:
    """Return the picture (BGR) with dark lenses before the eyes."""
    points = mesh(picture)
    lenses = np.zeros(picture.shape[:2], np.float32)
    for outer, inner in _EYES:
        (x, y), width = (points[outer] + points[inner]) / 2, np.ptp(points[[outer, inner], 0])
        axes = round(0.85 * width), round(0.65 * width)
        cv2.ellipse(lenses, (round(x), round(y + 0.1 * width)), axes, 0, 0, 360, 1.0, -1)
    return blended(picture, 0.12 * picture + 8, lenses)


def with_mask(picture: Any) -> Any:
    """Return the picture (BGR) with a light blue mask before mouth and nose."""
    mask = np.zeros(picture.shape[:2], np.float32)
    hull = cv2.convexHull(mesh(picture)[list(_MASK)].round().astype(np.int32))
    cv2.fillConvexPoly(mask, hull, 1.0)
    light = cv2.GaussianBlur(picture, (0, 0), 40).mean(axis=2, keepdims=True) / 110
    return blended(picture, np.array([215, 180, 140]) * light.clip(0.6, 1.2), mask)


def before_a_window(picture: Any, light: float = 0.28) -> Any:
    """Return the picture (BGR) with the person in the shade, before something bright."""
    height, width = picture.shape[:2]
    person = np.zeros((height, width), np.float32)
    cv2.ellipse(person, (width // 2, height // 2), (130, 180), 0, 0, 360, 1.0, -1)
    cv2.ellipse(person, (width // 2, height), (300, 140), 0, 0, 360, 1.0, -1)
    return blended(np.full(picture.shape, 220.0), light * picture + 6, person)


def blended(picture: Any, other: Any, share: Any) -> Any:
    """Return the picture with the other one laid over it where the share is 1."""
    share = cv2.GaussianBlur(share, (0, 0), 2)[..., None]
    return np.clip(picture * (1 - share) + other * share, 0, 255).astype(np.uint8)


def mesh(picture: Any) -> Any:
    """Return the points of the face mesh, float32 (468, 2)."""
    rgb = cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)
    engine = Engine()
    return engine.mesh(rgb, engine.find_faces(rgb)[0]).points[:, :2]
