"""Draw an artificial face, so that networks can be tried anywhere without anyone's photo."""

from __future__ import annotations

import base64

import numpy as np
from numpy.typing import NDArray

from .encoding import Encoding

SIDE = 480

BACKGROUND = (150, 160, 170)
HAIR, SKIN, SHADE, LIGHT = (60, 45, 38), (215, 175, 150), (190, 147, 127), (235, 198, 176)
SHIRT, WHITE, IRIS, LIPS, MOUTH = (
    (70, 80, 120),
    (245, 240, 235),
    (60, 50, 45),
    (175, 97, 91),
    (110, 55, 50),
)

# Ellipses, from back to front: centre x and y, half axes (the picture is 4 wide and 4 high),
# colour, softness of the edge, and opacity. An ellipse whose x is not 0 is drawn on both sides.
ELLIPSES = (
    (0, -0.15, 0.98, 1.25, HAIR, 0.1, 1),
    (0, 1.9, 1.6, 0.75, SHIRT, 0.08, 1),
    (0, 1.2, 0.38, 0.5, SHADE, 0.1, 1),
    (0, 0.15, 0.78, 1.05, SKIN, 0.08, 1),
    (0, 0.95, 0.5, 0.22, SHADE, 0.6, 0.5),
    (0.55, 0.45, 0.25, 0.5, SHADE, 0.8, 0.6),
    (0.33, -0.08, 0.24, 0.16, SHADE, 0.6, 0.8),
    (0.33, -0.32, 0.22, 0.045, HAIR, 0.5, 0.9),
    (0.33, -0.06, 0.155, 0.075, WHITE, 0.2, 1),
    (0.33, -0.06, 0.07, 0.075, IRIS, 0.2, 1),
    (0.33, -0.12, 0.17, 0.03, HAIR, 0.4, 0.9),
    (0.15, 0.38, 0.08, 0.09, SHADE, 0.6, 0.6),
    (0.1, 0.42, 0.05, 0.035, MOUTH, 0.4, 0.9),
    (0, 0.2, 0.06, 0.3, LIGHT, 0.8, 0.8),
    (0, 0.36, 0.11, 0.1, LIGHT, 0.6, 0.7),
    (0, 0.5, 0.16, 0.04, SHADE, 0.6, 0.7),
    (0, 0.68, 0.27, 0.05, LIPS, 0.4, 1),
    (0, 0.74, 0.22, 0.06, LIPS, 0.4, 0.9),
    (0, 0.69, 0.25, 0.014, MOUTH, 0.5, 0.9),
    (0, 0.85, 0.18, 0.05, SHADE, 0.6, 0.6),
)

# The face's encoding by dlib's encoder, averaged with that of its mirror image: float16.
_ENCODING = (
    "Va0ZML4pTqq+sUQo4Kyrr7wwHLN8MdIhl7FFFNKhMTEIr0OxvaTZrV0j5SbbIWwr06+AtDquB61gL3SmY6YHI7uv"
    "v6QvLTMtNq/6rqoybKLEsWWpTxg9M0ouSKJELNOvWi7Jswkq6jD0KQQvPS0esGktJy8tsgAopygDpM+eGKjuMhAx"
    "SKq7suYx87EXrAswVK3zscWw+B4dNkM0ua1cJZuow6m1Lbcq86yZp9SeDioBMy2sYapQM+QqjSQ2KyMoaa0pIsWu"
    "hawqLUir8ys1MHOyNDE5rTmo5h3KK62wlqhhMfiyiTIMMgcjCDB3L8Ao1inAr6quVq47LDCqciBNow=="
)


def face() -> NDArray[np.uint8]:
    """Return the picture, RGB, uint8 (480, 480, 3)."""
    rows, columns = (np.mgrid[:SIDE, :SIDE] / SIDE - 0.5) * 4
    image = np.full((SIDE, SIDE, 3), BACKGROUND, np.float64)
    for x, y, width, height, colour, softness, opacity in ELLIPSES:
        for side in {x, -x}:
            radius = np.hypot((columns - side) / width, (rows - y) / height)
            cover = opacity / (1 + np.exp(np.clip((radius - 1) / softness * 4, -50, 50)))
            image += cover[..., None] * (np.array(colour) - image)
    return (image + 0.5).astype(np.uint8)


def encoding() -> Encoding:
    """Return the face's encoding by dlib's encoder, with its mirror image, float32 (128,)."""
    return np.frombuffer(base64.b64decode(_ENCODING), "<f2").astype(np.float32)
