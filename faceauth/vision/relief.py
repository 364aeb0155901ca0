"""Measure whether a face that turns has the relief of a head, from the pixels of two frames.

The face mesh always looks like a head, also where the network sees a flat or a bent picture. So the
mesh says how far a head would have turned; the pixels say whether anything came out of the plane.
"""

from __future__ import annotations

import math
from functools import cache
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from .face_mesh import Points
from .head_pose import mean_face

Image = NDArray[np.uint8]

SIDE = 128  # pixels of a still
FACE = 0.68 * SIDE  # pixels: the height of the face in it

_LEFT, _RIGHT = 33, 263  # the outer corners of the eyes, as in the picture

# The part of the mean face that is compared, without the mouth: half widths, and an ellipse.
_ACROSS, _DOWN = 0.36, 0.42
_MOUTH = 0.26, 0.32, 0.16  # how far down, half width, half height

_ITERATIONS = cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, 30, 1e-4
_BLUR = 5  # pixels

_ROUNDS = 5  # of the fit, in which points far off count less
_FAR = 1.5  # times the median distance

# What heads show in films (10 people, 638 pairs of frames): 0.27 to 1.46, 0.11 to 1.02, and up to
# 0.025; if they raise the chin (4 people, 48 pairs), at most 1.19 and 1.02. Flat pictures that are
# tilted have a depth of at most 0.10 (95 % of them 0.21 from close by); bent ones have no nose, or
# much is left over; many pieces that are pushed have too much of one.
DEPTH = 0.26, 1.6
NOSE = 0.08, 1.1
LEFT_OVER = 0.03

# A photo of a head that is turned a little has 0.98 and more with the same photo in a mirror, also
# if the mouth is covered in one of them; real heads that turn have up to 0.95.
MIRROR = 0.965
_MOVED = 0.2  # how far a likely match is distorted at most; others are chance
_PATCH = 17, 17  # pixels: what is compared around each point
_PLAIN = 25.0  # the variance of a patch without features


class Still(NamedTuple):
    """A face as it was at rest, for comparison with a frame in which it is turned.

    Attributes:
        grey: Its pixels, upright, uint8 (128, 128).
        points: Of its mesh, in these pixels, those that are compared, float32 (k, 2).
    """

    grey: Image
    points: NDArray[np.float32]


class Relief(NamedTuple):
    """How much relief a face shows when it turns, over what the mean face would show.

    Attributes:
        depth: The relief beyond what a plane in perspective shows. A flat picture has 0.
        nose: The relief beyond what a sheet shows that is bent as well.
        left_over: What none of them explains, over the turn.
        mirror: How much it looks like the mirror image of the face at rest, up to 1. A photo of a
            head that is turned a little shows a turn, and often relief, when it is exchanged for
            its mirror image.
    """

    depth: float
    nose: float
    left_over: float
    mirror: float

    @property
    def is_head(self) -> bool:
        """Return True if a head can look like this."""
        return (
            DEPTH[0] <= self.depth <= DEPTH[1]
            and NOSE[0] <= self.nose <= NOSE[1]
            and self.left_over <= LEFT_OVER
            and self.mirror <= MIRROR
        )


def still(image: Image, points: Points) -> Still:
    """Return the face of a frame for later comparison.

    Args:
        image: RGB, uint8 (height, width, 3).
        points: Of the face's mesh, float32 (468, 3).
    """
    across = points[_RIGHT] - points[_LEFT]
    angle = math.atan2(across[1], across[0])
    turn = np.array([[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]])
    middle = points[:, :2].mean(axis=0)
    matrix = turn * (FACE / max(1.0, float(np.ptp((points[:, :2] - middle) @ turn[1]))))
    move = np.column_stack([matrix, SIDE / 2 - matrix @ middle])
    kept = points[_compared()[0], :2] @ matrix.T + move[:, 2]
    method = cv2.INTER_AREA if np.linalg.det(matrix) < 1 else cv2.INTER_LINEAR
    face = cv2.warpAffine(image, move, (SIDE, SIDE), flags=method, borderMode=cv2.BORDER_REPLICATE)
    levelled = cv2.createCLAHE(2.0, (4, 4)).apply(cv2.cvtColor(face, cv2.COLOR_RGB2GRAY))
    return Still(np.asarray(levelled, np.uint8), kept.astype(np.float32))


def relief(rest: Still, turned: Still, turn: tuple[float, float]) -> Relief:
    """Compare a face that is turned with how it was at rest.

    Args:
        rest: The face at rest.
        turned: The face in a frame in which it is turned.
        turn: How far it is turned, by the head pose: the differences of yaw and pitch in degrees.
    """
    here = np.column_stack([turned.points, np.ones(len(turned.points))])
    move = np.linalg.lstsq(here, rest.points, rcond=None)[0].T
    moved = cv2.warpAffine(turned.grey, move, (SIDE, SIDE), borderMode=cv2.BORDER_REPLICATE)
    flow = _flow().calc(rest.grey, moved, None)
    _, depth = _compared()
    shift = _sampled(flow, rest.points) / FACE
    x, y = ((rest.points - SIDE / 2) / FACE).T
    radians = np.radians(turn)
    amount = max(1e-6, math.hypot(*radians))
    towards = np.array([radians[0], -radians[1]]) / amount
    one, none = np.ones_like(x), np.zeros_like(x)
    # What a plane does, seen in perspective; then what a depth does, which is asked for; then what
    # a bend does. Each as its effect on x and on y.
    plane = [
        (one, none), (x, none), (y, none), (none, one), (none, x), (none, y),
        (x * x, x * y), (x * y, y * y),
    ]  # fmt: skip
    head = [(-depth * amount * towards[0], -depth * amount * towards[1])]
    bend = [(each * towards[0], each * towards[1]) for each in (x * x, x * y, y * y)]
    flat, _ = _fitted([*plane, *head], shift)
    bent, off = _fitted([*plane, *head, *bend], shift)
    mirror = _likeness(turned.grey, np.ascontiguousarray(rest.grey[:, ::-1]))
    return Relief(float(flat[len(plane)]), float(bent[len(plane)]), off / amount, mirror)


def _likeness(one: Image, other: Image) -> float:
    """Return how alike two faces are that are laid upon each other as well as possible.

    Returns:
        The median correlation of patches, as a part may be covered: from -1 to 1; -1 if the faces
        do not fit at all.
    """
    stays, face = np.eye(2, 3, dtype=np.float32), _face()
    try:
        _, move = cv2.findTransformECC(
            one, other, stays.copy(), cv2.MOTION_AFFINE, _ITERATIONS, face, _BLUR
        )
    except cv2.error:
        return -1.0
    if np.abs(move - stays)[:, :2].max() > _MOVED:
        return -1.0
    how = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    moved = cv2.warpAffine(other, move, (SIDE, SIDE), flags=how, borderMode=cv2.BORDER_REPLICATE)
    a, b = (cv2.GaussianBlur(each, (_BLUR, _BLUR), 0).astype(np.float32) for each in (one, moved))
    mean_a, mean_b = cv2.blur(a, _PATCH), cv2.blur(b, _PATCH)
    both = cv2.blur(a * b, _PATCH) - mean_a * mean_b
    spread_a, spread_b = cv2.blur(a * a, _PATCH) - mean_a**2, cv2.blur(b * b, _PATCH) - mean_b**2
    alike = both / np.sqrt(np.maximum(spread_a, _PLAIN) * np.maximum(spread_b, _PLAIN))
    return float(np.median(alike[face > 0]))


def _fitted(
    effects: list[tuple[NDArray[Any], NDArray[Any]]], shift: NDArray[np.floating[Any]]
) -> tuple[NDArray[Any], float]:
    """Return how much of each effect explains a shift best, and the median of what is left."""
    columns = np.column_stack([np.concatenate(each) for each in effects]).astype(np.float64)
    wanted = np.concatenate([shift[:, 0], shift[:, 1]]).astype(np.float64)
    weights = np.ones(len(wanted))
    for _ in range(_ROUNDS):
        # The normal equations take a third of the time of a fit of all columns.
        weighted = columns * weights[:, None]
        normal = weighted.T @ columns, weighted.T @ wanted
        amounts = np.linalg.lstsq(*normal, rcond=None)[0]
        off = np.abs(wanted - columns @ amounts)
        weights = np.minimum(1, max(_FAR * float(np.median(off)), 1e-4) / (off + 1e-9))
    return amounts, float(np.median(off))


def _sampled(flow: Any, points: NDArray[np.float32]) -> NDArray[np.floating[Any]]:
    x, y = points.T
    return np.asarray(cv2.remap(flow, x, y, cv2.INTER_LINEAR)).reshape(-1, 2)


def _flow() -> Any:
    return cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)


@cache
def _face() -> Image:
    """Return where the face is in a still, without the mouth: 1 there, else 0, uint8 (128, 128)."""
    middle, (down, wide, high) = SIDE // 2, _MOUTH
    radii = round(1.2 * _ACROSS * FACE), round(1.1 * _DOWN * FACE)
    face = cv2.ellipse(np.zeros((SIDE, SIDE), np.uint8), (middle, middle), radii, 0, 0, 360, 1, -1)
    mouth, radii = (middle, middle + round(down * FACE)), (round(wide * FACE), round(high * FACE))
    return np.asarray(cv2.ellipse(face, mouth, radii, 0, 0, 360, 0, -1), np.uint8)


@cache
def _compared() -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the points of the mesh that are compared, and their depth in the mean face."""
    x, y, depth = mean_face()[0].T
    down, wide, high = _MOUTH
    mouth = np.hypot(x / wide, (y - down) / high) < 1
    compared = np.flatnonzero((np.abs(x) < _ACROSS) & (np.abs(y) < _DOWN) & ~mouth)
    return compared, depth[compared].astype(np.float64)
